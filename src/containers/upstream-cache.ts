import type { EngineEvent } from '../engine/events.ts'
import type { Upstream } from '../forward/upstream.ts'

/** Keeps addresses between proxied requests, so that a request need not ask the engine, and forgets them in time. */
export type UpstreamCache = {
  /** The kept address, or the one that `resolve` finds. Callers for the same key at the same time share one search. */
  get (key: string, resolve: () => Promise<Upstream>): Promise<Upstream>
  /** Takes note of an event: what changes a container makes every address doubtful. */
  note (event: EngineEvent): void
  forget (): void
}

/** What happens inside a container, or is done with it, without changing its address. */
const HARMLESS = /^(exec_|health_status|top|attach|detach|resize|copy|archive-path|extract-to-dir|export|commit)/
/** Keys come from requests (ports, prefixes of ids), so their number is bounded. */
const MAX_ENTRIES = 10_000

/**
 * @param isLive Whether events arrive. While they do not, nothing is kept: the address may belong to another container by
 * now (research D8).
 */
export function createUpstreamCache (isLive: () => boolean): UpstreamCache {
  const kept = new Map<string, Upstream>()
  const searches = new Map<string, Promise<Upstream>>()

  function forget () {
    kept.clear()
    searches.clear()
  }

  async function search (key: string, resolve: () => Promise<Upstream>): Promise<Upstream> {
    const found = resolve()
    searches.set(key, found)
    try {
      const upstream = await found
      // An event since the search began has thrown the search away, and with it the right to keep its result.
      if (isLive() && searches.get(key) === found && kept.size < MAX_ENTRIES) kept.set(key, upstream)
      return upstream
    } finally {
      if (searches.get(key) === found) searches.delete(key)
    }
  }

  return {
    async get (key, resolve) {
      const upstream = isLive() ? kept.get(key) : undefined
      return upstream ?? await (searches.get(key) ?? search(key, resolve))
    },
    note ({ action }) {
      if (!HARMLESS.test(action)) forget()
    },
    forget
  }
}
