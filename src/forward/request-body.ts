import type { IncomingMessage } from 'node:http'
import { DockApiError } from '../errors.ts'
import type { RequestBody } from './transport.ts'

/** How long a client may go on sending a body that nobody reads any more, before it is cut off. */
const DRAIN_MS = 5_000

/**
 * The body of a request and its framing, as the strict parser of Node has read it (RFC 9112 6.3). Any method may have one.
 * @throws DockApiError `invalid_request` for a transfer coding that could be understood in two ways.
 */
export function requestBody (request: IncomingMessage): RequestBody | undefined {
  const coding = request.headers['transfer-encoding']
  if (coding !== undefined) {
    if (request.httpVersion === '1.0') throw unsupported('HTTP/1.0 has no Transfer-Encoding')
    if (coding.trim().toLowerCase() !== 'chunked') throw unsupported('the only Transfer-Encoding here is chunked')
    return { stream: request, length: undefined }
  }
  const length = request.headers['content-length']
  return length === undefined ? undefined : { stream: request, length: Number(length) }
}

/**
 * Reads what is left of a body that is not wanted, so that the client gets to read the answer and the connection stays usable
 * (RFC 9112 9.6). A client that does not come to an end is cut off.
 */
export function drainBody (request: IncomingMessage) {
  if (request.readableEnded || request.destroyed) return
  request.resume()
  if (request.complete) return
  const timer = setTimeout(() => { request.socket.destroy() }, DRAIN_MS).unref()
  request.once('close', () => { clearTimeout(timer) })
}

function unsupported (what: string): DockApiError {
  return new DockApiError('invalid_request', `The body cannot be forwarded: ${what}.`, { fields: [{ where: 'header', pointer: '/transfer-encoding', message: 'must be chunked, in HTTP/1.1' }] })
}
