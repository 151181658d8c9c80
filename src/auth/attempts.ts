import { networkOf } from './network.ts'

/** Counts wrong tokens by the address that they came from. */
export type Attempts = {
  note (address: string): void
  /** How many seconds an address has to wait; 0 when it may go on. */
  secondsToWait (address: string): number
}

const LIMIT = 100
/** Since the first wrong token of a count, in milliseconds. */
const WINDOW_MS = 60_000
/** How many addresses are counted; then the oldest is forgotten. */
const MAX_ADDRESSES = 10_000

/** @param now Unix milliseconds. */
export function createAttempts (now: () => number = Date.now): Attempts {
  const counts = new Map<string, { wrong: number, until: number }>()

  function current (key: string) {
    const count = counts.get(key)
    if (count === undefined || count.until > now()) return count
    counts.delete(key)
    return undefined
  }

  return {
    note (address) {
      const key = networkOf(address)
      const count = current(key)
      if (count !== undefined) {
        count.wrong++
        return
      }
      if (counts.size >= MAX_ADDRESSES) counts.delete(counts.keys().next().value!)
      counts.set(key, { wrong: 1, until: now() + WINDOW_MS })
    },
    secondsToWait (address) {
      if (counts.size === 0) return 0
      const count = current(networkOf(address))
      return count === undefined || count.wrong < LIMIT ? 0 : Math.ceil((count.until - now()) / 1000)
    }
  }
}
