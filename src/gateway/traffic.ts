import type { TrafficInfo } from '../../schemas/traffic.ts'
import { createHistogram } from './histogram.ts'
import type { Histogram, HistogramTotals } from './histogram.ts'

/** What is counted of a service or of one upstream. Each call takes the time of one clock in milliseconds, and constant time. */
export type Traffic = {
  readonly inFlight: number
  begin (isUpgrade: boolean, now: number): void
  /** The answer began, so long after the request. */
  answer (status: number, latencyMs: number, now: number): void
  fail (): void
  end (isUpgrade: boolean): void
  snapshot (now: number): TrafficInfo
  totals (): TrafficTotals
  /** Whether nothing runs, and nothing came for so long. */
  isQuiet (durationMs: number, now: number): boolean
  /** Gives back the memory of the rates and of the latest latencies, which are empty by now; the totals stay. */
  rest (): void
}

/** What was counted since the beginning, and what runs. */
export type TrafficTotals = Pick<TrafficInfo, 'in_flight' | 'failures' | 'statuses'> & {
  /** Undefined before the first answer. */
  latencies: HistogramTotals | undefined
}

const SECONDS = 60

export function createTraffic (): Traffic {
  const classes = new Float64Array(5)
  let inFlight = 0
  let upgrades = 0
  let total = 0
  let failures = 0
  let lastAt = -Infinity
  let rate: Rate | undefined
  let latencies: Histogram | undefined

  function begin (isUpgrade: boolean, now: number) {
    inFlight++
    if (isUpgrade) upgrades++
    total++
    lastAt = now
    rate ??= createRate()
    rate.add(now)
  }

  function answer (status: number, latencyMs: number, now: number) {
    const index = Math.floor(status / 100) - 1
    if (index >= 0 && index < classes.length) classes[index]!++
    latencies ??= createHistogram()
    latencies.add(latencyMs, now)
  }

  function snapshot (now: number): TrafficInfo {
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((part) => latencies?.quantile(part, now))
    return {
      in_flight: inFlight,
      upgrades,
      total,
      failures,
      statuses: statuses(),
      requests_per_second: { last_10s: rate?.over(10, now) ?? 0, last_60s: rate?.over(SECONDS, now) ?? 0 },
      latency_ms: p50 === undefined ? null : { p50: rounded(p50), p95: rounded(p95!), p99: rounded(p99!) },
      last_request_at: total === 0 ? null : new Date(Date.now() - (now - lastAt)).toISOString()
    }
  }

  function statuses (): TrafficInfo['statuses'] {
    return { '1xx': classes[0]!, '2xx': classes[1]!, '3xx': classes[2]!, '4xx': classes[3]!, '5xx': classes[4]! }
  }

  return {
    get inFlight () { return inFlight },
    begin,
    answer,
    fail: () => { failures++ },
    end (isUpgrade) {
      inFlight--
      if (isUpgrade) upgrades--
    },
    snapshot,
    totals: () => ({ in_flight: inFlight, failures, statuses: statuses(), latencies: latencies?.totals() }),
    isQuiet: (durationMs, now) => inFlight === 0 && now - lastAt >= durationMs,
    rest () {
      rate = undefined
      latencies?.rest()
    }
  }
}

type Rate = {
  add (now: number): void
  /** Per second over so many whole seconds, at most a minute. */
  over (seconds: number, now: number): number
}

/** Counts by second; one more cell than a minute, for the second that is not over yet. */
function createRate (): Rate {
  const counts = new Uint32Array(SECONDS + 1)
  let newest = 0

  function moveTo (second: number) {
    if (second - newest > counts.length) counts.fill(0)
    else for (let next = newest + 1; next <= second; next++) counts[next % counts.length] = 0
    newest = Math.max(newest, second)
  }

  function add (now: number) {
    const second = Math.floor(now / 1_000)
    if (second !== newest) moveTo(second)
    counts[second % counts.length]!++
  }

  function over (seconds: number, now: number): number {
    moveTo(Math.floor(now / 1_000))
    let sum = 0
    for (let second = Math.max(0, newest - seconds); second < newest; second++) sum += counts[second % counts.length]!
    return sum / seconds
  }

  return { add, over }
}

function rounded (valueMs: number): number {
  return Number(valueMs.toPrecision(3))
}
