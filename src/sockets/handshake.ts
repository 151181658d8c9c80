import type { IncomingMessage, ServerResponse } from 'node:http'
import { WebSocketServer } from 'ws'
import { DockApiError, invalidField } from '../errors.ts'
import { heldUpgrade } from '../forward/held-upgrade.ts'
import { isUpgradable } from '../forward/upgrades.ts'
import { createMessageSocket } from './message-socket.ts'
import type { MessageSocket, SocketLimits } from './message-socket.ts'

/** 16 bytes in base64 (RFC 6455 section 4.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/
/** A token (RFC 9110 section 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** More pieces than this make no message: a flood of tiny ones ends the connection with 1008. */
const MAX_FRAGMENTS = 1_000

/** Whether a request may switch to a WebSocket, as far as its first line and headers tell. */
export function isSocketRequest (request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket' && isUpgradable(request)
}

/**
 * Refuses a handshake that cannot be completed, as an ordinary answer.
 * @throws DockApiError `websocket_required` for another version than 13, `invalid_request` on the header.
 */
export function checkHandshake ({ headers }: IncomingMessage): void {
  const version = headers['sec-websocket-version']
  if (version !== '13') throw new DockApiError('websocket_required', `This server speaks version 13 of the WebSocket protocol, not ${version === undefined ? 'an unnamed one' : `"${version}"`}.`)
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) throw invalidField('header', '/sec-websocket-key', 'must be 16 bytes in base64', 'A WebSocket client sends it by itself.')
  offeredProtocols(headers['sec-websocket-protocol'])
}

/**
 * The first subprotocol that the client offers and the server knows. Undefined when the client offers none.
 * @throws DockApiError `invalid_request` when it offers others only: it would take the connection for one of those.
 */
export function selectProtocol<P extends string> ({ headers }: IncomingMessage, known: readonly P[]): P | undefined {
  const offered = offeredProtocols(headers['sec-websocket-protocol'])
  const selected = offered.find((protocol): protocol is P => (known as readonly string[]).includes(protocol))
  if (selected !== undefined || offered.length === 0) return selected
  throw invalidField('header', '/sec-websocket-protocol', `names no subprotocol of this route, which speaks ${known.join(', ')}`)
}

/**
 * Completes the handshake of a held upgrade: from here on the connection is a WebSocket, and what the client sent ahead is read.
 * @throws DockApiError `client_gone`.
 */
export function acceptSocket (request: IncomingMessage, response: ServerResponse, limits: SocketLimits, protocol?: string): MessageSocket {
  const held = heldUpgrade(request)!
  const early = held.release()
  response.detachSocket(held.socket)
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // A flood of pings is counted like any other.
    autoPong: false,
    maxPayload: limits.maxMessageBytes,
    maxFragments: MAX_FRAGMENTS,
    handleProtocols: () => protocol ?? false
  })
  let socket: MessageSocket | undefined
  server.handleUpgrade(request, held.socket, early, (ws) => { socket = createMessageSocket(ws, held.socket, limits) })
  if (socket === undefined) throw new DockApiError('client_gone', 'The client went away.')
  held.socket.resume()
  return socket
}

function offeredProtocols (header: string | undefined): string[] {
  const offered = header?.split(',').map((name) => name.trim()) ?? []
  if (offered.every((name) => TOKEN.test(name)) && new Set(offered).size === offered.length) return offered
  throw invalidField('header', '/sec-websocket-protocol', 'is no list of different names')
}
