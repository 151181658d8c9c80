import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { ResponseHead } from './response-head.ts'
import type { UpstreamFailure } from './upstream-failure.ts'
import type { Upstream } from './upstream.ts'

/** A body and how it is framed; `length` in bytes, chunked when it is unknown. */
export type RequestBody = { stream: Readable, length: number | undefined }

/** One request as it goes on the wire to an upstream. */
export type UpstreamRequest = {
  upstream: Upstream
  method: string
  /** Origin-form, written as it is. */
  path: string
  /** Name, value, name, value; complete except for the framing of `body`. */
  headers: readonly string[]
  body: RequestBody | undefined
  /** Whether a 101 may follow. */
  isUpgrade: boolean
  /** Whether a connection that was used before may carry it: `young` only one that idled so briefly that the upstream has hardly closed it. */
  reuse: 'any' | 'young' | 'never'
}

/** What becomes of a request, in order. After `onEnd`, `onSwitch` or `onFailure` nothing more is called. */
export type ResponseHandler = {
  /** An interim answer (1xx) other than 100 and 101. */
  onInterim (head: ResponseHead): void
  onHead (head: ResponseHead): void
  onData (data: Buffer): void
  onEnd (trailers: string[]): void
  /** The upstream answered 101. The socket, paused, belongs to the handler from here on; `rest` are its first bytes. */
  onSwitch (head: ResponseHead, socket: Socket, rest: Buffer): void
  onFailure (failure: UpstreamFailure): void
}

/** The handle on a dispatched request. */
export type Dispatched = {
  /** Stops reading the answer until `resume`. */
  pause (): void
  resume (): void
  /** Ends the exchange and its connection at once, with a reset, and calls nothing more. */
  abort (): void
}

/**
 * How requests reach upstreams: pools of connections behind one small contract, in the manner of undici's dispatchers
 * (docs/adr/0002), so that it can be replaced. Nothing is retried here, and the handler is never called before `dispatch` returns.
 */
export type Transport = {
  dispatch (request: UpstreamRequest, handler: ResponseHandler): Dispatched
  /** No new requests; resolves when the running ones are over. */
  close (): Promise<void>
  /** Cuts every connection now. */
  destroy (): Promise<void>
}

/** What an exchange needs of a transport. */
export type Dispatcher = Pick<Transport, 'dispatch'>

/** All times in milliseconds. */
export type TransportSettings = {
  connectTimeoutMs: number
  /** From the last byte of the request to the head of its answer. Bodies and switched connections may idle forever. */
  answerTimeoutMs: number
  /** How long an unused connection is kept; shorter when the upstream says so. */
  idleTimeoutMs: number
}

export const TRANSPORT_DEFAULTS: TransportSettings = { connectTimeoutMs: 5_000, answerTimeoutMs: 60_000, idleTimeoutMs: 4_000 }
