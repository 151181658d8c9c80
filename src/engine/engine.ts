import Docker from 'dockerode'
import type { EngineEnvironment } from '../config/schema.ts'
import { translateEngineError } from './errors.ts'
import { resolveEndpoint } from './endpoint.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { Endpoint } from './endpoint.ts'

export type CallOptions = {
  /** How long the engine may take, in milliseconds; 10 s when left out. */
  timeoutMs?: number | undefined
  /** Ends the call when the caller no longer wants it. */
  signal?: AbortSignal | undefined
  /** What a 404 of the engine means for this call. */
  notFound?: ErrorCode | undefined
  /** The engine answers late by nature (a wait): keep the call off the sockets of the quick ones. */
  isLong?: boolean | undefined
}

/** The Docker daemon. One object for the life of the process; it may be away and come back. */
export type Engine = {
  readonly endpoint: Endpoint

  /**
   * One call with a deadline. `run` must hand `signal` to dockerode as `abortSignal`.
   * @throws DockApiError translated from what the engine said; `engine_timeout` after the deadline, `engine_unavailable` when it cannot be reached.
   */
  call<T> (operation: string, run: (docker: Docker, signal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>

  /** As `call`, for a stream: the deadline covers the opening only, `options.signal` the whole life of the stream. */
  open<T> (operation: string, run: (docker: Docker, signal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>

  /** Ends every call and stream and frees the sockets. Idempotent. */
  close (): Promise<void>
}

const CALL_TIMEOUT_MS = 10_000

export function createEngine (environment: EngineEnvironment): Engine {
  const endpoint = resolveEndpoint(environment)
  const docker = new Docker({ socketPath: endpoint.address })
  const closing = new AbortController()

  async function call<T> (operation: string, run: (docker: Docker, signal: AbortSignal) => Promise<T>, options: CallOptions = {}) {
    const deadline = AbortSignal.timeout(options.timeoutMs ?? CALL_TIMEOUT_MS)
    const signal = AbortSignal.any([deadline, closing.signal, ...(options.signal === undefined ? [] : [options.signal])])
    try {
      return await run(docker, signal)
    } catch (error) {
      throw translateEngineError(error, { operation, isTimeout: deadline.aborted, isAborted: options.signal?.aborted ?? false, notFound: options.notFound })
    }
  }

  async function open<T> (operation: string, run: (docker: Docker, signal: AbortSignal) => Promise<T>, options: CallOptions = {}) {
    const signal = AbortSignal.any([closing.signal, ...(options.signal === undefined ? [] : [options.signal])])
    try {
      return await run(docker, signal)
    } catch (error) {
      throw translateEngineError(error, { operation, isTimeout: false, isAborted: options.signal?.aborted ?? false, notFound: options.notFound })
    }
  }

  return { endpoint, call, open, async close () { closing.abort() } }
}
