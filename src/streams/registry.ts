import { DockApiError } from '../errors.ts'

/** Whatever is open for as long as a client listens. */
export type Admitted = {
  once (event: 'close', listener: () => void): unknown
  /** Cuts it now. */
  destroy (): unknown
}

/** The streams that are open now, all of which end when the server does. How many there may be is said by `src/guard/slots.ts`. */
export type Streams = {
  readonly open: number
  /** Aborted when the server shuts down. */
  readonly closing: AbortSignal
  /**
   * Opens a stream and keeps count of it until it closes.
   * @param make Gets the signal that ends what the stream is made of: the client left, the stream is closed, or the server shuts down.
   * @throws DockApiError `shutting_down`, and what `make` throws.
   */
  admit<T extends Admitted> (make: (signal: AbortSignal) => Promise<T>, gone: AbortSignal): Promise<T>
  /** Ends every stream: each may say its last word, and is cut when its reader does not take it in time. Idempotent. */
  close (): Promise<void>
}

/** How long a reader may take for the end of its stream, in milliseconds. */
const GRACE_MS = 1000

export function createStreams (): Streams {
  const closing = new AbortController()
  const streams = new Map<AbortController, Admitted | undefined>()
  let emptied: (() => void) | undefined

  function release (owner: AbortController) {
    owner.abort()
    streams.delete(owner)
    if (streams.size === 0) emptied?.()
  }

  async function admit<T extends Admitted> (make: (signal: AbortSignal) => Promise<T>, gone: AbortSignal) {
    if (closing.signal.aborted) throw new DockApiError('shutting_down', 'The server is shutting down.')
    const owner = new AbortController()
    streams.set(owner, undefined)
    try {
      const stream = await make(AbortSignal.any([owner.signal, gone, closing.signal]))
      streams.set(owner, stream)
      stream.once('close', () => release(owner))
      if (gone.aborted) stream.destroy()
      return stream
    } catch (error) {
      release(owner)
      throw error
    }
  }

  async function close () {
    closing.abort(new DockApiError('shutting_down', 'The server is shutting down.'))
    if (streams.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    emptied = resolve
    const timer = setTimeout(resolve, GRACE_MS)
    await promise
    clearTimeout(timer)
    for (const stream of streams.values()) stream?.destroy()
  }

  return { get open () { return streams.size }, closing: closing.signal, admit, close }
}
