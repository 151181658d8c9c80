/** How an upstream failed, before anyone decides what to tell the client. */
export type FailureKind =
  | 'unreachable' | 'connect-timeout' | 'reset' | 'malformed' | 'answer-timeout' | 'client-timeout' | 'request-too-large' | 'answer-too-large' | 'aborted'

/**
 * One failed exchange with an upstream.
 * `isStale`: the connection had been used before and was gone before one byte of an answer came, which is how a server that
 * closes an idle connection looks to whoever was just about to use it (RFC 9112 9.3.1).
 */
export class UpstreamFailure extends Error {
  readonly kind: FailureKind
  readonly isStale: boolean

  constructor (kind: FailureKind, message: string, options: { cause?: unknown, isStale?: boolean } = {}) {
    super(message, { cause: options.cause })
    this.name = 'UpstreamFailure'
    this.kind = kind
    this.isStale = options.isStale ?? false
  }
}

/** An answer that is no strict HTTP/1.1. `reason` completes "The upstream sent ...". */
export function malformed (reason: string): UpstreamFailure {
  return new UpstreamFailure('malformed', `The upstream sent ${reason}.`)
}
