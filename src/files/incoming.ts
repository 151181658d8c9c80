import { Readable } from 'node:stream'
import { DockApiError } from '../errors.ts'

/** How long a client may send nothing in the middle of a body, in milliseconds. */
const IDLE_MS = 60_000
/** How long the rest of a body that is not wanted is read, so that the client gets to read the answer, in milliseconds. */
const DISCARD_MS = 5_000

/**
 * The body of an upload, bounded in bytes and in silence. Destroying it leaves the body, and so the connection, as they are: `discard` is for them.
 * @throws DockApiError from the stream: `body_too_large`, `request_timeout`.
 */
export function boundedBody (body: Readable, maxBytes: number): Readable {
  return Readable.from(bounded(body, maxBytes), { objectMode: false })
}

/** Reads on without an aim; a client that has much more to send is cut off. */
export function discard (body: Readable): void {
  if (body.readableEnded || body.destroyed) return
  const timer = setTimeout(() => { body.destroy() }, DISCARD_MS)
  body.once('close', () => clearTimeout(timer))
  body.on('error', () => {})
  // Who read it may let go of it only after this: a listener makes it flow then.
  body.on('data', () => {})
  body.resume()
}

export function tooLarge (maxBytes: number): DockApiError {
  return new DockApiError('body_too_large', `The body is larger than ${Math.floor(maxBytes / 1024 ** 2)} MiB.`, { hint: 'DOCKAPI_MAX_UPLOAD sets the limit.' })
}

async function * bounded (body: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  const chunks = body.iterator({ destroyOnReturn: false })
  let bytes = 0
  try {
    for (;;) {
      const { value: chunk, done } = await unlessSilent(chunks.next() as Promise<IteratorResult<Buffer, undefined>>)
      if (done === true) return
      bytes += chunk.length
      if (bytes > maxBytes) throw tooLarge(maxBytes)
      yield chunk
    }
  } finally {
    // Lets go of the body, or `discard` could read nothing of it. Not waited for: a chunk may be under way for ever.
    chunks.return?.().catch(() => {})
  }
}

async function unlessSilent<T> (promise: Promise<T>): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new DockApiError('request_timeout', `The body stopped arriving for ${IDLE_MS / 1000} seconds.`)), IDLE_MS)
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
  }
}
