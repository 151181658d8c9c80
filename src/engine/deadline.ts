/** A wait that ends in time, whatever it waits for. */
export type Deadline = {
  /** Aborts when the time is over or one of the other signals does. */
  readonly signal: AbortSignal
  isOver (): boolean
  /** Settles with the promise, or rejects with the signal's reason when that comes first: the promise may never settle. */
  race<T> (promise: Promise<T>): Promise<T>
  /** The time no longer counts; the other signals still do. */
  lift (): void
}

/** @param timeoutMs In milliseconds. `signals` end the wait too; those left out are passed over. */
export function createDeadline (timeoutMs: number, ...signals: Array<AbortSignal | undefined>): Deadline {
  const over = new AbortController()
  const timer = setTimeout(() => over.abort(new DOMException(`Not done within ${timeoutMs} ms`, 'TimeoutError')), timeoutMs)
  const signal = AbortSignal.any([over.signal, ...signals.filter((given) => given !== undefined)])

  async function race<T> (promise: Promise<T>): Promise<T> {
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    try {
      return await Promise.race([promise, aborted])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  return { signal, race, isOver: () => over.signal.aborted, lift: () => clearTimeout(timer) }
}

/** Waits for the promise for a while, however it ends. */
export async function withinTime (promise: Promise<unknown>, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const deadline = createDeadline(timeoutMs, signal)
  await deadline.race(promise).catch(() => {})
  deadline.lift()
}
