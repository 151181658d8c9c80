import type Docker from 'dockerode'
import type { Health } from '../../schemas/health.ts'
import type { EngineEnvironment } from '../config/schema.ts'
import type { ErrorCode } from '../error-codes.ts'
import { DockApiError } from '../errors.ts'
import { connect } from './connection.ts'
import type { Connection } from './connection.ts'
import { createDeadline } from './deadline.ts'
import type { Deadline } from './deadline.ts'
import { resolveEndpoint } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { createEventStream } from './event-stream.ts'
import type { EventStream } from './event-stream.ts'
import { createHealthCheck } from './health.ts'
import type { EngineObserver } from './observer.ts'
import { isConnectionLost, isNeverSent, isVersionRefused, translateEngineError } from './errors.ts'

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

/** The Docker daemon. One object for the life of the process; it may be away and come back, elsewhere and in another version. */
export type Engine = {
  /**
   * Where the engine is, or would be looked for now.
   * @throws DockApiError `engine_unavailable` when the settings name no address; never after a call succeeded.
   */
  readonly endpoint: Endpoint

  /**
   * One call with a deadline. `run` must hand `signal` to dockerode as `abortSignal`. It should be one request: it is run a second time when
   * the engine certainly saw nothing of the request that failed.
   * @throws DockApiError translated from what the engine said; `engine_timeout` after the deadline, `engine_unavailable` when it cannot be reached.
   */
  call<T> (operation: string, run: (docker: Docker, signal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>

  /** As `call`, for a stream: the deadline covers the opening only, `options.signal` the whole life of the stream. */
  open<T> (operation: string, run: (docker: Docker, signal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>

  /** As `call`, over sockets that no other call takes: what must be known when the engine is busy. */
  probe<T> (operation: string, run: (connection: Connection, signal: AbortSignal) => Promise<T>, options?: CallOptions): Promise<T>

  /** Whether the engine answers now. Never throws, takes two seconds at most; callers at the same time share one probe. */
  health (): Promise<Health>

  /** What happens on the engine, for all who watch. */
  readonly events: EventStream

  /** Is told of every call, stream and event. */
  readonly observer: EngineObserver | undefined

  /** Ends every call and stream and frees the sockets. Idempotent. */
  close (): Promise<void>
}

const CALL_TIMEOUT_MS = 10_000

/** Dials nothing until the first call, and looks for the engine anew after each time that it was away. */
export function createEngine (environment: EngineEnvironment, observer?: EngineObserver): Engine {
  const closing = new AbortController()
  let connecting: Promise<Connection> | undefined
  let current: Connection | undefined
  let lastEndpoint: Endpoint | undefined

  /** All callers share one attempt. */
  function connected (): Promise<Connection> {
    connecting ??= connect(environment, closing.signal).then((connection) => {
      current = connection
      lastEndpoint = connection.endpoint
      events.wake()
      return connection
    }, (error: unknown) => {
      connecting = undefined
      throw error
    })
    return connecting
  }

  /** The next call looks for the engine anew; exchanges in flight go on. */
  function forget (connection: Connection) {
    if (current !== connection) return
    current = undefined
    connecting = undefined
    connection.retire()
  }

  async function attempt<T> (run: Run<T>, deadline: Deadline): Promise<T> {
    const connection = await deadline.race(connected())
    try {
      return await deadline.race(run(connection, deadline.signal))
    } catch (error) {
      if (isConnectionLost(error) || isVersionRefused(error)) forget(connection)
      throw error
    }
  }

  async function perform<T> (operation: string, run: Run<T>, options: CallOptions): Promise<T> {
    if (observer === undefined) return await performOne(operation, run, options)
    const startedMs = performance.now()
    const tell = (result: string) => { observer.call(operation, result, (performance.now() - startedMs) / 1000) }
    try {
      const result = await performOne(operation, run, options)
      tell('ok')
      return result
    } catch (error) {
      tell(error instanceof DockApiError ? error.code : 'internal_error')
      throw error
    }
  }

  async function performOne<T> (operation: string, run: Run<T>, options: CallOptions): Promise<T> {
    const deadline = createDeadline(options.timeoutMs ?? CALL_TIMEOUT_MS, closing.signal, options.signal)
    try {
      return await attempt(run, deadline).catch((error: unknown) => {
        if (isNeverSent(error) || isVersionRefused(error)) return attempt(run, deadline)
        throw error
      })
    } catch (error) {
      if (closing.signal.aborted) throw new DockApiError('shutting_down', 'The server is shutting down.', { cause: error })
      const { signal, notFound } = options
      throw translateEngineError(error, { operation, isTimeout: deadline.isOver(), isAborted: signal?.aborted ?? false, notFound, endpoint: lastEndpoint })
    } finally {
      deadline.lift()
    }
  }

  const engine: Omit<Engine, 'health' | 'events'> = {
    observer,
    get endpoint () { return current?.endpoint ?? resolveEndpoint(environment) },
    call: (operation, run, options = {}) => perform(operation, ({ calls, streams }, signal) => run(options.isLong === true ? streams : calls, signal), options),
    open: (operation, run, options = {}) => perform(operation, ({ streams }, signal) => run(streams, signal), options),
    probe: (operation, run, options = {}) => perform(operation, run, options),
    async close () {
      events.close()
      closing.abort()
      current?.retire()
    }
  }
  const events = createEventStream(engine)
  return Object.assign(engine, { events, health: createHealthCheck(engine) })
}

type Run<T> = (connection: Connection, signal: AbortSignal) => Promise<T>
