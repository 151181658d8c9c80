import { DockApiError } from '../errors.ts'

/** Lets so many go on at once; the others wait in line. */
export type Line = {
  /**
   * Resolves with the function that gives the place back.
   * @throws DockApiError `too_many_requests` after the longest wait; the signal's reason when it aborts first.
   */
  take (signal: AbortSignal): Promise<() => void>
}

/** @param longestMs The longest wait in line, in milliseconds. */
export function createLine (count: number, longestMs: number): Line {
  const waiting = new Set<() => void>()
  let left = count

  function giveBack () {
    const [next] = waiting
    if (next === undefined) left++
    else next()
  }

  async function take (signal: AbortSignal) {
    signal.throwIfAborted()
    if (left > 0) left--
    else await inLine(signal)
    return once(giveBack)
  }

  function inLine (signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => { leave(new DockApiError('too_many_requests', 'Too many questions wait for the engine.')) }, longestMs)
    const abort = () => { leave(signal.reason) }
    const enter = () => {
      end()
      resolve()
    }
    const leave = (reason: unknown) => {
      end()
      reject(reason)
    }
    const end = () => {
      waiting.delete(enter)
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    waiting.add(enter)
    signal.addEventListener('abort', abort, { once: true })
    return promise
  }

  return { take }
}

function once (act: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    act()
  }
}
