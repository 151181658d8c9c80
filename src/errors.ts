import { ERROR_CODES } from './error-codes.ts'
import type { ErrorCode } from './error-codes.ts'

/** One field of a refused input. `pointer` is a JSON pointer (RFC 6901) into the part of the request that `where` names. */
export type FieldError = {
  where: 'body' | 'query' | 'path' | 'header'
  pointer: string
  message: string
}

/** Extra members of the problem document, such as the last probe of a readiness wait. Never secrets. */
export type ErrorDetails = Record<string, unknown>

export type DockApiErrorOptions = {
  hint?: string
  fields?: FieldError[]
  details?: ErrorDetails
  retryAfterSeconds?: number
  cause?: unknown
}

/**
 * The one error that the domain throws. It carries a stable code; the code names the kind, and the API maps
 * kinds to HTTP status in one place (`plugins/errors.ts`). `message` is a plain sentence that is shown to the caller.
 */
export class DockApiError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly fields: FieldError[]
  readonly details: ErrorDetails
  readonly retryAfterSeconds: number | undefined

  constructor (code: ErrorCode, message: string, options: DockApiErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'DockApiError'
    this.code = code
    this.hint = options.hint ?? ERROR_CODES[code].hint
    this.fields = options.fields ?? []
    this.details = options.details ?? {}
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get kind () { return ERROR_CODES[this.code].kind }
  get title () { return ERROR_CODES[this.code].title }
  get isRetryable () { return ERROR_CODES[this.code].retryable ?? false }
}

/** An `invalid_request` about one field: what was wrong and how to write it rightly. */
export function invalidField (where: FieldError['where'], pointer: string, message: string, hint?: string): DockApiError {
  const name = pointer === '' ? where : pointer.slice(1).replaceAll('/', '.')
  return new DockApiError('invalid_request', `${name}: ${message}`, { fields: [{ where, pointer, message }], ...(hint === undefined ? {} : { hint }) })
}

export function isDockApiError (error: unknown, code?: ErrorCode): error is DockApiError {
  return error instanceof DockApiError && (code === undefined || error.code === code)
}
