import type { EndReason } from './encoder.ts'

/** A bounded queue between many that bring and one that reads. */
export type Channel<T> = {
  /** @returns Whether there is room for more. What is brought after the end is dropped. */
  push (item: T): boolean
  /** Resolves when the reader has taken everything, or the channel has ended. */
  drained (): Promise<void>
  /** No more comes. What is queued is read first, then the reason. */
  end (reason: EndReason): void
  /** The reader fails once it has read what is queued. */
  fail (error: Error): void
  /** Whether what is queued reaches the limit. */
  readonly isFull: boolean
  /** What is queued now. */
  take (): T[]
  /** Everything that is queued at a time; returns why there is no more. */
  batches (): AsyncGenerator<T[], EndReason>
}

/** @param limit What may be queued, in items unless `sizeOf` measures them. @param signal Ends the channel at once. */
export function createChannel<T> (limit: number, signal: AbortSignal, sizeOf: (item: T) => number = () => 1): Channel<T> {
  let queue: T[] = []
  let size = 0
  let ending: { reason: EndReason } | { error: Error } | undefined
  let wakeReader: (() => void) | undefined
  let wakeBringers: Array<() => void> = []

  function push (item: T): boolean {
    if (ending !== undefined) return true
    queue.push(item)
    size += sizeOf(item)
    wakeReader?.()
    return size < limit
  }

  function finish (how: { reason: EndReason } | { error: Error }) {
    ending ??= how
    wakeReader?.()
    release()
  }

  function release () {
    for (const wake of wakeBringers) wake()
    wakeBringers = []
  }

  function take (): T[] {
    const taken = queue
    queue = []
    size = 0
    release()
    return taken
  }

  async function drained () {
    if (queue.length === 0 || ending !== undefined) return
    await new Promise<void>((resolve) => wakeBringers.push(resolve))
  }

  async function * batches (): AsyncGenerator<T[], EndReason> {
    const abort = () => {
      take()
      finish({ reason: 'complete' })
    }
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    try {
      for (;;) {
        if (queue.length > 0) {
          yield take()
        } else if (ending !== undefined) {
          if ('error' in ending) throw ending.error
          return ending.reason
        } else {
          await new Promise<void>((resolve) => { wakeReader = resolve })
        }
      }
    } finally {
      signal.removeEventListener('abort', abort)
      abort()
    }
  }

  return { push, drained, take, get isFull () { return ending === undefined && size >= limit }, end: (reason) => finish({ reason }), fail: (error) => finish({ error }), batches }
}
