import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Docker's own form of a failure, which its clients print. `switches` tells another dockAPI which of them would open what was refused. */
export type Message = { message: string, switches?: readonly string[] }

/** What clients read of the engine's headers: API version and kind of engine among them. No other header passes. */
const PASSED_HEADERS = ['api-version', 'docker-experimental', 'ostype', 'server', 'swarm', 'builder-version', 'content-type', 'cache-control', 'pragma', 'date'] as const

/** The headers of an answer of the engine. */
export function headersOf (headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return {
    ...Object.fromEntries(PASSED_HEADERS.flatMap((name) => headers[name] === undefined ? [] : [[name, headers[name]]])),
    'x-content-type-options': 'nosniff'
  }
}

/** Answers by ourselves, or cuts what has begun. */
export function sendMessage (response: ServerResponse, status: number, message: Message, headers: OutgoingHttpHeaders = {}): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const body = JSON.stringify(message)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** Answers what is no HTTP request, or could be read as two, and ends the connection. */
export function answerNoRequest (error: NodeJS.ErrnoException, socket: Socket): void {
  const body = JSON.stringify({ message: 'This is not a valid HTTP request.' } satisfies Message)
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) socket.destroy()
  else socket.end(`HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`, () => { socket.destroy() })
}
