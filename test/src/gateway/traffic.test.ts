import t from 'tap'
import { createHistogram } from '../../../src/gateway/histogram.ts'
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

t.test('counts, rates and latencies of what came', (t) => {
  const traffic = createTraffic()
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
  traffic.rest()
  t.match(traffic.snapshot(400_000), { total: 102, latency_ms: null })
  traffic.begin(false, 401_000)
  t.equal(traffic.snapshot(402_000).total, 103)
  t.end()
})

t.end()
