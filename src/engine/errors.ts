import { DockApiError } from '../errors.ts'
import type { ErrorCode } from '../error-codes.ts'

export type EngineFailure = { operation: string, isTimeout: boolean, isAborted: boolean, notFound?: ErrorCode | undefined }

/** The one place where what the engine said becomes an error of ours. */
export function translateEngineError (error: unknown, { operation, isTimeout, isAborted, notFound }: EngineFailure): DockApiError {
  if (error instanceof DockApiError) return error
  if (isAborted) return new DockApiError('client_gone', 'The client went away.', { cause: error })
  if (isTimeout) return new DockApiError('engine_timeout', `The engine did not answer to ${operation} in time.`, { cause: error })
  const { statusCode, json, message } = error as { statusCode?: number, json?: { message?: string }, message: string }
  const sentence = json?.message ?? message
  if (statusCode === undefined) return new DockApiError('engine_unavailable', `The engine cannot be reached: ${sentence}`, { cause: error })
  if (statusCode === 404) return new DockApiError(notFound ?? 'engine_refused', sentence, { cause: error })
  if (statusCode === 409) return new DockApiError('engine_conflict', sentence, { cause: error })
  if (statusCode === 400) return new DockApiError('engine_refused', sentence, { cause: error })
  return new DockApiError('engine_error', sentence, { cause: error })
}
