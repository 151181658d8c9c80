import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http'

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
