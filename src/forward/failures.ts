import { DockApiError } from '../errors.ts'
import type { UpstreamFailure } from './upstream-failure.ts'

/** Methods that may be sent again when it is unknown whether the first one arrived (RFC 9110 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/**
 * Whether a failed request is sent to the same upstream a second time, on a new connection: only when the upstream had closed a kept connection just as it
 * was used, and only what is idempotent and has no body. An answer, 503 too, is never a reason.
 */
export function isRepeatable (method: string, hasBody: boolean, failure: UpstreamFailure): boolean {
  return failure.isStale && !hasBody && isIdempotent(method)
}

/**
 * Whether a failed request may be sent to another upstream that serves the same: when nothing of it was sent, or when it is idempotent
 * and has no body. One that was sent and may have had an effect is never sent twice.
 */
export function isMovable (method: string, hasBody: boolean, { kind }: UpstreamFailure): boolean {
  if (kind === 'unreachable' || kind === 'connect-timeout') return true
  return kind === 'reset' && !hasBody && isIdempotent(method)
}

export function isIdempotent (method: string): boolean {
  return IDEMPOTENT.has(method)
}

/** What the client is told: nothing of addresses or of the code that failed. The cause is for the log. */
export function translateFailure (failure: UpstreamFailure): DockApiError {
  const cause = { cause: failure }
  switch (failure.kind) {
    case 'unreachable':
      return isNameUnknown(failure)
        ? new DockApiError('upstream_failed', 'The name of the server that the route leads to is not known.', { ...cause, hint: 'Correct the URL of the upstream in the route, or make the name resolve where dockAPI runs.' })
        : new DockApiError('upstream_failed', 'The application does not accept connections on its port.', cause)
    case 'reset':
      return new DockApiError('upstream_failed', 'The application closed the connection before it answered.', cause)
    case 'malformed':
      return new DockApiError('upstream_failed', 'The application sent an answer that is not valid HTTP.', cause)
    case 'connect-timeout':
      return new DockApiError('upstream_timeout', 'The application did not accept the connection in time.', cause)
    case 'answer-timeout':
      return new DockApiError('upstream_timeout', 'The application took the request but did not answer in time.', cause)
    case 'client-timeout':
      return new DockApiError('request_timeout', 'The body of the request stopped arriving.', cause)
    case 'request-too-large':
      return new DockApiError('body_too_large', 'The body of the request is larger than this route allows.', cause)
    case 'answer-too-large':
      return new DockApiError('upstream_failed', 'The answer of the application is larger than this route allows.', cause)
    case 'aborted':
      return new DockApiError('shutting_down', 'The server is shutting down.', cause)
  }
}

/** Only servers that the API names have a name to look up. */
function isNameUnknown ({ cause }: UpstreamFailure): boolean {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN'
}
