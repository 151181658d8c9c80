/** Lets so many go on at once; the others wait in line. */
export type Slots = {
  /** Resolves with the function that gives the slot back. @throws the signal's reason when it aborts first. */
  take (signal: AbortSignal): Promise<() => void>
}

export function createSlots (count: number): Slots {
  const line = new Set<() => void>()
  let left = count

  function giveBack () {
    const [next] = line
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
    const leave = () => {
      line.delete(enter)
      reject(signal.reason)
    }
    const enter = () => {
      line.delete(enter)
      signal.removeEventListener('abort', leave)
      resolve()
    }
    line.add(enter)
    signal.addEventListener('abort', leave, { once: true })
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
