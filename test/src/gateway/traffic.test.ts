import t from 'tap'
import { BOUNDS_MS, createHistogram } from '../../../src/gateway/histogram.ts'
import { createTraffic } from '../../../src/gateway/traffic.ts'
import { createRandom } from '../../support/pool.ts'

t.test('quantiles are within 5 % of those of the sorted times', (t) => {
  const random = createRandom(7)
  const histogram = createHistogram()
  const times = Array.from({ length: 5_000 }, () => 0.1 * 10 ** (random() * 5))
  for (const time of times) histogram.add(time, 1_000)
  const sorted = times.toSorted((one, other) => one - other)
  for (const part of [0.01, 0.5, 0.9, 0.95, 0.99, 1]) {
    const exact = sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)]!
    t.ok(Math.abs(histogram.quantile(part, 1_000)! / exact - 1) < 0.05, `${part}`)
  }
  t.end()
})

t.test('what is older than three minutes is forgotten, and extremes have a place', (t) => {
  const histogram = createHistogram()
  t.equal(histogram.quantile(0.5, 0), undefined)
  histogram.add(100, 59_000)
  histogram.add(1, 61_000)
  t.ok(histogram.quantile(1, 179_000)! > 95)
  t.ok(histogram.quantile(1, 181_000)! < 1.1)
  t.equal(histogram.quantile(1, 241_000), undefined)
  histogram.add(0, 300_000)
  t.ok(histogram.quantile(0, 300_000)! < 0.1)
  histogram.add(1e9, 300_000)
  t.ok(histogram.quantile(1, 300_000)! > 100_000)
  t.end()
})

t.test('totals are exact: a time of just a bound is within it, and what is longer is not', (t) => {
  const histogram = createHistogram()
  t.same(histogram.totals(), { count: 0, sumMs: 0, withinBounds: BOUNDS_MS.map(() => 0) })
  for (const bound of BOUNDS_MS) {
    histogram.add(bound, 0)
    histogram.add(bound * (1 + Number.EPSILON), 0)
  }
  t.same(histogram.totals().withinBounds, BOUNDS_MS.map((_, index) => 2 * index + 1))
  t.equal(histogram.totals().count, 2 * BOUNDS_MS.length)
  histogram.add(0, 0)
  histogram.add(1e9, 0)
  t.same(histogram.totals().withinBounds, BOUNDS_MS.map((_, index) => 2 * index + 2))
  t.equal(histogram.totals().count, 2 * BOUNDS_MS.length + 2)
  t.end()
})

t.test('totals are those of the times one by one, and only grow, over minutes and rests', (t) => {
  const random = createRandom(11)
  const histogram = createHistogram()
  const times: number[] = []
  let before = histogram.totals()
  for (let minute = 0; minute < 20; minute++) {
    for (let count = 0; count < 500; count++) {
      const time = 0.01 * 10 ** (random() * 7)
      times.push(time)
      histogram.add(time, minute * 60_000 + count)
    }
    if (minute % 7 === 6) histogram.rest()
    const { count, sumMs, withinBounds } = histogram.totals()
    t.equal(count, times.length)
    t.ok(Math.abs(sumMs / times.reduce((sum, time) => sum + time, 0) - 1) < 1e-9)
    t.same(withinBounds, BOUNDS_MS.map((bound) => times.filter((time) => time <= bound).length))
    t.ok(withinBounds.every((within, index) => within >= before.withinBounds[index]! && within >= (withinBounds[index - 1] ?? 0)))
    before = { count, sumMs, withinBounds }
  }
  t.end()
})

t.test('after a rest the latest times are counted from nothing', (t) => {
  const histogram = createHistogram()
  histogram.add(1_000, 10_000)
  histogram.rest()
  t.equal(histogram.quantile(1, 10_000), undefined)
  histogram.add(10, 10_001)
  t.ok(Math.abs(histogram.quantile(1, 10_001)! / 10 - 1) < 0.05)
  t.equal(histogram.totals().count, 2)
  t.end()
})

t.test('counts, rates and latencies of what came', (t) => {
  const traffic = createTraffic()
  t.equal(traffic.totals().latencies, undefined)
  t.match(traffic.snapshot(0), { total: 0, latency_ms: null, last_request_at: null, requests_per_second: { last_10s: 0, last_60s: 0 } })
  for (let second = 100; second < 160; second++) {
    for (let count = 0; count < (second < 150 ? 1 : 5); count++) {
      traffic.begin(false, second * 1_000 + count)
      traffic.answer(second % 2 === 0 ? 200 : 503, 20, second * 1_000 + count)
      traffic.end(false)
    }
  }
  traffic.begin(true, 159_999)
  traffic.answer(101, 5, 159_999)
  traffic.begin(false, 160_500)
  traffic.fail()
  const seen = traffic.snapshot(160_900)
  t.match(seen, { in_flight: 2, upgrades: 1, total: 102, failures: 1, statuses: { '1xx': 1, '2xx': 50, '3xx': 0, '4xx': 0, '5xx': 50 } })
  t.same(seen.requests_per_second, { last_10s: 5.1, last_60s: 101 / 60 }, 'the second that is not over does not count')
  t.ok(Math.abs(seen.latency_ms!.p50 - 20) < 1)
  t.match(traffic.snapshot(170_999).requests_per_second, { last_10s: 0.1 }, 'the one of second 160')
  t.same(traffic.snapshot(400_000).requests_per_second, { last_10s: 0, last_60s: 0 })
  t.notOk(traffic.isQuiet(0, 400_000))
  traffic.end(true)
  traffic.end(false)
  t.ok(traffic.isQuiet(200_000, 400_000))
  t.match(traffic.totals(), { in_flight: 0, failures: 1, statuses: { '1xx': 1, '2xx': 50, '5xx': 50 }, latencies: { count: 101, sumMs: 2_005 } })
  const totals = traffic.totals()
  traffic.rest()
  t.match(traffic.snapshot(400_000), { total: 102, latency_ms: null })
  t.same(traffic.totals(), totals, 'a rest takes nothing from them')
  traffic.begin(false, 401_000)
  t.equal(traffic.snapshot(402_000).total, 103)
  t.end()
})

t.end()
