/** Lets so many through at once; the others wait in line. */
export type Gate = {
  /** @throws The signal's reason when it aborts before the turn came. */
  run<T> (task: () => Promise<T>, signal: AbortSignal): Promise<T>
}

export function createGate (size: number): Gate {
  const line = new Set<() => void>()
  let free = size

  async function run<T> (task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (free > 0) free--
    else await turn(signal)
    try {
      return await task()
    } finally {
      const [next] = line
      if (next === undefined) free++
      else {
        line.delete(next)
        next()
      }
    }
  }

  function turn (signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const enter = () => {
      signal.removeEventListener('abort', leave)
      resolve()
    }
    const leave = () => {
      line.delete(enter)
      reject(signal.reason)
    }
    line.add(enter)
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    return promise
  }

  return { run }
}
