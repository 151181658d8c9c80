/** Token buckets, one for each source. */
export type Buckets = {
  /** Takes a token. @returns 0, or when there was none the seconds until there is. */
  take (source: string, now?: number): number
  /** The same without taking. */
  look (source: string, now?: number): number
}

/** Sources that are remembered at most; the one that was quiet for longest is forgotten first. */
const MAX_SOURCES = 65_536

type Bucket = { tokens: number, at: number }

/** @param perSecond How many tokens come back. `burst` is how many there are at most, and at first. */
export function createBuckets ({ perSecond, burst, maxSources = MAX_SOURCES }: { perSecond: number, burst: number, maxSources?: number }): Buckets {
  const buckets = new Map<string, Bucket>()

  function look (source: string, now = performance.now()): number {
    const { tokens } = filled(buckets.get(source), now)
    // A hair less than one is one: times are fractions.
    return tokens >= 1 - 1e-9 ? 0 : (1 - tokens) / perSecond
  }

  function take (source: string, now = performance.now()): number {
    const bucket = filled(buckets.get(source), now)
    const waitSeconds = look(source, now)
    if (waitSeconds === 0) bucket.tokens -= 1
    buckets.delete(source)
    if (buckets.size >= maxSources) buckets.delete(buckets.keys().next().value!)
    buckets.set(source, bucket)
    return waitSeconds
  }

  function filled (bucket: Bucket | undefined, now: number): Bucket {
    if (bucket === undefined) return { tokens: burst, at: now }
    return { tokens: Math.min(burst, bucket.tokens + (now - bucket.at) / 1000 * perSecond), at: now }
  }

  return { take, look }
}
