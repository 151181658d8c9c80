import { Readable } from 'node:stream'
import { isDockApiError } from '../errors.ts'
import type { Encoder, EndReason, StreamEnd, StreamEvent } from './encoder.ts'

/** Events in the batches in which they come; the return value says why there are no more. It must end, or throw, soon after its signal aborts. */
export type StreamSource = AsyncGenerator<readonly StreamEvent[], EndReason>

export type DeliveryOptions = {
  encoder: Encoder
  /** Aborted when the server shuts down: the source ends by itself then, and the last event says so. */
  closing: AbortSignal
  /** Silence after which a heartbeat is sent, in milliseconds; 15 s when left out. */
  heartbeatMs?: number
}

const HEARTBEAT_MS = 15_000
/** What is kept ready for a reader that is slower than the engine, in bytes. */
const BUFFER_BYTES = 64 * 1024

/**
 * The bytes of a stream in one form. The source is asked for more only as fast as the reader reads. A failure is the last event where the form
 * has events; as plain text it cuts the answer, so that nobody takes half for all.
 */
export function deliver (source: StreamSource, options: DeliveryOptions): Readable {
  return Readable.from(encodeAll(source, options), { objectMode: false, highWaterMark: BUFFER_BYTES })
}

/** The same for bytes that are passed on as they are. */
export function deliverBytes (source: Readable, closing: AbortSignal): Readable {
  return Readable.from(passOn(source, closing), { objectMode: false, highWaterMark: BUFFER_BYTES })
}

async function * passOn (source: Readable, closing: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield * source as AsyncIterable<Buffer>
  } catch (error) {
    if (!closing.aborted) throw error
  }
}

async function * encodeAll (source: StreamSource, { encoder, closing, heartbeatMs = HEARTBEAT_MS }: DeliveryOptions): AsyncGenerator<string> {
  if (encoder.head !== '') yield encoder.head
  let end: StreamEnd
  try {
    let next = source.next()
    for (;;) {
      const result = await within(next, encoder.heartbeat === '' ? undefined : heartbeatMs)
      if (result === undefined) {
        yield encoder.heartbeat
        continue
      }
      if (result.done === true) {
        end = { reason: closing.aborted ? 'shutting_down' : result.value }
        break
      }
      const text = encoder.encode(result.value)
      if (text !== '') yield text
      next = source.next()
    }
  } catch (error) {
    end = closing.aborted ? { reason: 'shutting_down' } : endOf(error)
    if (encoder.end(end) === '' && !closing.aborted) throw error
  } finally {
    await source.return('complete')
  }
  const last = encoder.end(end)
  if (last !== '') yield last
}

/** @returns Nothing when the promise takes longer; it may be waited for again. */
async function within<T> (promise: Promise<T>, timeMs: number | undefined): Promise<T | undefined> {
  if (timeMs === undefined) return promise
  const { promise: over, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), timeMs)
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}

/** What is no error of ours is the engine's stream breaking off. */
export function endOf (error: unknown): StreamEnd {
  if (!isDockApiError(error)) return { reason: 'engine_lost', code: 'engine_unavailable', detail: 'The engine ended the stream before it was complete.' }
  if (error.code === 'exec_timeout') return { reason: 'timeout', code: error.code, detail: error.message }
  const reason = error.code === 'engine_unavailable' || error.code === 'engine_timeout' ? 'engine_lost' : error.code === 'container_not_found' ? 'container_removed' : 'failed'
  return { reason, code: error.code, detail: error.message }
}
