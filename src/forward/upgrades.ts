import { ServerResponse } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { holdUpgrade } from './held-upgrade.ts'

const NO_CONNECT = 'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * Whether a request with an Upgrade header may switch protocols: only in HTTP/1.1 (RFC 9110 7.8), only without a body, and not to
 * h2c, which would carry further requests past every check. The others are served as if the header were not there.
 */
export function isUpgradable ({ httpVersion, headers }: IncomingMessage): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  const isHttp2 = /(?:^|,)\s*h2c?\s*(?:,|$)/i.test(headers.upgrade ?? '')
  return httpVersion === '1.1' && !hasBody && !isHttp2
}

/**
 * Becomes the one owner of a server's `upgrade` and `connect` events. `serve` gets an upgrade request like every other one, and finds
 * the waiting client with `heldUpgrade`. Whatever it answers other than a switch of protocols is an ordinary answer, after which the
 * connection closes: bytes that the client sent ahead are never read as a request.
 */
export function acceptUpgrades (server: Server, serve: (request: IncomingMessage, response: ServerResponse) => void): void {
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const socket = stream as Socket
    // From here on nobody else listens, and an error without a listener would end the process.
    socket.on('error', () => { socket.destroy() })
    const response = createResponse(request, socket)
    if (response === undefined) return
    holdUpgrade(request, socket, head)
    serve(request, response)
  })
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => { socket.destroy() })
    socket.end(NO_CONNECT)
  })
}

function createResponse (request: IncomingMessage, socket: Socket): ServerResponse | undefined {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.on('finish', () => { socket.destroySoon() })
  try {
    response.assignSocket(socket)
  } catch {
    // An earlier request on this connection is not answered yet; switching protocols now would cut its answer in two.
    socket.destroy()
    return undefined
  }
  return response
}
