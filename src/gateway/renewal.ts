/** When the table is made anew. */
export type Renewal = {
  /** Something changed that may concern every route: the table is renewed at once. */
  renew (): void
  /** A container changed: the table is renewed soon, and before the next request to it. */
  note (containerId: string): void
  /** Renews the table if any container changed meanwhile. */
  catchUp (): void
  /** Whether the table is behind what is known: of one of these containers, or at all. */
  isBehind (members?: ReadonlyArray<{ readonly container: { readonly id: string } }>): boolean
  close (): void
}

/** What renewing may take of the process's time while containers come and go. */
const SHARE = 0.1
/** The longest that a change waits, in milliseconds. */
const MAX_WAIT_MS = 500

/**
 * A table costs as much as there are containers, and requests should not pay for hundreds of changes a second of containers that they do not
 * go to. So a change is taken at once only when a request needs it (`isBehind`), and otherwise with those that come after it: the dearer the
 * last table was, the later.
 * @param make Makes the table of all that is known.
 */
export function createRenewal (make: () => void): Renewal {
  const changed = new Set<string>()
  let timer: NodeJS.Timeout | undefined
  let restUntil = 0

  function renew () {
    clearTimeout(timer)
    timer = undefined
    changed.clear()
    const startedAt = performance.now()
    make()
    const endedAt = performance.now()
    restUntil = endedAt + Math.min((endedAt - startedAt) * (1 / SHARE - 1), MAX_WAIT_MS)
  }

  function note (containerId: string) {
    changed.add(containerId)
    timer ??= setTimeout(renew, Math.max(0, restUntil - performance.now()))
  }

  return {
    renew,
    note,
    catchUp () { if (changed.size > 0) renew() },
    isBehind: (members) => changed.size > 0 && (members === undefined || members.some(({ container: { id } }) => changed.has(id))),
    close () { clearTimeout(timer) }
  }
}
