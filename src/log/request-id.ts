import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** What may be taken over from a proxy in front: it goes into headers, logs and the audit. */
const WELL_FORMED = /^[A-Za-z0-9._-]{1,64}$/
const BYTES = 9

/** The id of a request: that of its `X-Request-Id` header where it is well-formed, else a new one. */
export function requestIdFrom (header: string | string[] | undefined): string {
  return typeof header === 'string' && WELL_FORMED.test(header) ? header : createRequestId()
}

const ids = new WeakMap<IncomingMessage, string>()

/** The same where nobody keeps it: made when it is first asked for. */
export function requestIdOf (request: IncomingMessage): string {
  const id = ids.get(request) ?? requestIdFrom(request.headers['x-request-id'])
  ids.set(request, id)
  return id
}

/** 12 characters that nobody can guess. */
export function createRequestId (): string {
  return randomBytes(BYTES).toString('base64url')
}
