/** How many items are given at once. */
const BATCH = 500

/** Puts sources that are each in order into one that is in order. Each is read only as far as it is needed. */
export async function * mergeSorted<T> (sources: ReadonlyArray<AsyncGenerator<T[]>>, compare: (one: T, other: T) => number): AsyncGenerator<T[]> {
  const heads = await Promise.all(sources.map(createHead))
  let batch: T[] = []
  try {
    for (;;) {
      const first = leastOf(heads, compare)
      if (first === undefined) break
      batch.push(first.current!)
      // What is ready goes out before anything is waited for.
      if (batch.length >= BATCH || first.isLast) {
        yield batch
        batch = []
      }
      await first.move()
    }
    if (batch.length > 0) yield batch
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)))
  }
}

type Head<T> = { readonly current: T | undefined, readonly isLast: boolean, move (): Promise<void> | undefined }

async function createHead<T> (source: AsyncGenerator<T[]>): Promise<Head<T>> {
  let items: T[] = []
  let index = 0

  async function fill () {
    do {
      const next = await source.next()
      items = next.done === true ? [] : next.value
      index = 0
      if (next.done === true) return
    } while (items.length === 0)
  }

  await fill()
  return {
    get current () { return items[index] },
    get isLast () { return index === items.length - 1 },
    move: () => ++index < items.length ? undefined : fill()
  }
}

function leastOf<T> (heads: ReadonlyArray<Head<T>>, compare: (one: T, other: T) => number): Head<T> | undefined {
  let least: Head<T> | undefined
  for (const head of heads) {
    if (head.current !== undefined && (least === undefined || compare(head.current, least.current!) < 0)) least = head
  }
  return least
}
