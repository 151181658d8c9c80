/** Counts times by size, and forgets what is older than a few minutes. */
export type Histogram = {
  add (valueMs: number, now: number): void
  /** The time within which this part (0 to 1) of the counted stayed, in milliseconds, within 5 % of the truth; undefined when nothing was counted. */
  quantile (part: number, now: number): number | undefined
}

/** Eight steps from a time to its double: each 9 % wide. */
const STEPS = 8
const SMALLEST_MS = 0.0625
/** Up to 131 s; what took longer counts as that. */
const BUCKETS = 21 * STEPS
const WINDOW_MS = 60_000
const WINDOWS = 3

/** Of the last two to three minutes. Nothing is allocated after the creation (2 KB). */
export function createHistogram (): Histogram {
  const counts = new Uint32Array(BUCKETS * WINDOWS)
  const periods = new Float64Array(WINDOWS).fill(-1)

  function add (valueMs: number, now: number) {
    const period = Math.floor(now / WINDOW_MS)
    const window = period % WINDOWS
    if (periods[window] !== period) {
      periods[window] = period
      counts.fill(0, window * BUCKETS, (window + 1) * BUCKETS)
    }
    counts[window * BUCKETS + bucketOf(valueMs)]!++
  }

  function quantile (part: number, now: number): number | undefined {
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

  return { add, quantile }
}

function bucketOf (valueMs: number): number {
  if (valueMs <= SMALLEST_MS) return 0
  return Math.min(BUCKETS - 1, Math.floor(Math.log2(valueMs / SMALLEST_MS) * STEPS))
}

function middleOf (bucket: number): number {
  return SMALLEST_MS * 2 ** ((bucket + 0.5) / STEPS)
}
