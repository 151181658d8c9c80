import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { holdUpgrade } from '../src/forward/held-upgrade.ts'

const NO_CONNECT = 'HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/**
 * The one owner of the server's `upgrade` event. An upgrade request runs through the router like every other one, all hooks included,
 * so that what guards the API guards upgrades too; the route finds the waiting client with `heldUpgrade`. Whatever the route
 * answers other than a switch of protocols is an ordinary answer, after which the connection closes: bytes that the client sent
 * ahead are never read as a request.
 */
async function upgrade (app: FastifyInstance) {
  app.server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const socket = stream as Socket
    // From here on nobody else listens, and an error without a listener would end the process.
    socket.on('error', () => { socket.destroy() })
    const response = createResponse(request, socket)
    if (response === undefined) return
    holdUpgrade(request, socket, head)
    app.routing(request, response)
  })
  app.server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
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

export default fp(upgrade, { name: 'upgrade', fastify: '5.x' })
