/** Counts times by size: finely those of the last few minutes, and all there ever were by a few bounds. */
export type Histogram = {
  add (valueMs: number, now: number): void
  /** The time within which this part (0 to 1) of those of the last two to three minutes stayed, in milliseconds, within 5 % of the truth; undefined when there were none. */
  quantile (part: number, now: number): number | undefined
  totals (): HistogramTotals
  /** Gives back the memory of the last minutes, which are empty by now; the totals stay. */
  rest (): void
}

/** What was counted since the creation; exact. */
export type HistogramTotals = {
  count: number
  sumMs: number
  /** For each of the bounds how many took at most so long, shorter ones included. */
  withinBounds: number[]
}

/** Upper bounds of the totals. No two lie in one bucket, so one comparison makes them exact. */
export const BOUNDS_MS: readonly number[] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000]

/** Eight steps from a time to its double: each 9 % wide. */
const STEPS = 8
const SMALLEST_MS = 0.0625
/** Up to 131 s; what took longer counts as that. */
const BUCKETS = 21 * STEPS
const WINDOW_MS = 60_000
const WINDOWS = 3
/** For each bucket the first bound that is not below it: what is in the bucket stays within this one or the next. */
const FIRST_BOUNDS = Uint8Array.from({ length: BUCKETS }, (_, bucket) => BOUNDS_MS.filter((bound) => bound < lowerEdgeOf(bucket)).length)
const ENDS_MS = Float64Array.of(...BOUNDS_MS, Infinity)
/** The place of the sum, behind the counts of each bound and of what exceeds them all. */
const SUM = ENDS_MS.length

/** The first time, and the first after a rest, allocates 2 KB; the others nothing. */
export function createHistogram (): Histogram {
  const totalOf = new Float64Array(SUM + 1)
  const periods = new Float64Array(WINDOWS)
  let counts: Uint32Array | undefined
  /** Where the counts of the present window begin. */
  let offset = 0
  let windowEndsAt = -Infinity

  function add (valueMs: number, now: number) {
    if (now >= windowEndsAt) turn(now)
    const bucket = bucketOf(valueMs)
    counts![offset + bucket]!++
    const bound = FIRST_BOUNDS[bucket]!
    totalOf[valueMs <= ENDS_MS[bound]! ? bound : bound + 1]!++
    totalOf[SUM]! += valueMs
  }

  function turn (now: number) {
    const period = Math.floor(now / WINDOW_MS)
    const window = period % WINDOWS
    offset = window * BUCKETS
    windowEndsAt = (period + 1) * WINDOW_MS
    periods[window] = period
    counts ??= new Uint32Array(BUCKETS * WINDOWS)
    counts.fill(0, offset, offset + BUCKETS)
  }

  function quantile (part: number, now: number): number | undefined {
    if (counts === undefined) return undefined
    const oldest = Math.floor(now / WINDOW_MS) - WINDOWS
    const merged = new Uint32Array(BUCKETS)
    let total = 0
    for (let window = 0; window < WINDOWS; window++) {
      if (periods[window]! <= oldest) continue
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        const count = counts[window * BUCKETS + bucket]!
        merged[bucket]! += count
        total += count
      }
    }
    let rest = Math.max(1, Math.ceil(total * part))
    const bucket = merged.findIndex((count) => (rest -= count) <= 0)
    return bucket === -1 ? undefined : middleOf(bucket)
  }

  function totals (): HistogramTotals {
    let count = 0
    const upTo = Array.from(totalOf.subarray(0, SUM), (own) => {
      count += own
      return count
    })
    return { count, sumMs: totalOf[SUM]!, withinBounds: upTo.slice(0, -1) }
  }

  function rest () {
    counts = undefined
    windowEndsAt = -Infinity
  }

  return { add, quantile, totals, rest }
}

function bucketOf (valueMs: number): number {
  if (valueMs <= SMALLEST_MS) return 0
  return Math.min(BUCKETS - 1, Math.floor(Math.log2(valueMs / SMALLEST_MS) * STEPS))
}

/** The first bucket holds all smaller times too. */
function lowerEdgeOf (bucket: number): number {
  return bucket === 0 ? 0 : SMALLEST_MS * 2 ** (bucket / STEPS)
}

function middleOf (bucket: number): number {
  return SMALLEST_MS * 2 ** ((bucket + 0.5) / STEPS)
}
