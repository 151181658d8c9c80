import t from 'tap'
import { createTraffic } from '../../../src/gateway/traffic.ts'
import type { Traffic } from '../../../src/gateway/traffic.ts'
import { createMetrics } from '../../../src/metrics/metrics.ts'

type Named = { name: string, traffic: Traffic }

const BOUNDS = ['0.001', '0.0025', '0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '30', '+Inf']

/** What a scrape tells of gateway services that answered so. */
async function scrapeOf (services: Named[]): Promise<string[]> {
  const measure = { isCurrent: true, routes: 0, routesWithProblems: 0, upstreams: { up: 0 } as never, services: services.map(({ name, traffic }) => ({ name, traffic: traffic.totals() })) }
  const metrics = createMetrics({ version: '0', streamsOpen: () => 0, tombstones: () => 0, gateway: () => measure })
  return (await metrics.render()).split('\n')
}

function answered (name: string, ...timesMs: number[]): Named {
  const traffic = createTraffic()
  for (const time of timesMs) traffic.answer(200, time, 0)
  return { name, traffic }
}

const latenciesOf = (lines: string[], service: string) => lines.filter((line) => line.startsWith('dockapi_gateway_latency_seconds') && line.includes(`service="${service}"`))

t.test('latencies are a cumulative histogram in seconds, its bounds in order and +Inf as many as the count', async (t) => {
  const lines = await scrapeOf([answered('shop', 1, 2, 400, 31_000)])
  t.ok(lines.includes('# TYPE dockapi_gateway_latency_seconds histogram'))
  const within = [1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4]
  t.same(latenciesOf(lines, 'shop'), [
    ...BOUNDS.map((bound, index) => `dockapi_gateway_latency_seconds_bucket{le="${bound}",service="shop"} ${within[index]}`),
    'dockapi_gateway_latency_seconds_sum{service="shop"} 31.403',
    'dockapi_gateway_latency_seconds_count{service="shop"} 4'
  ])
})

t.test('services of one name are told as one, and one without an answer has no latencies', async (t) => {
  const lines = await scrapeOf([answered('shop', 1), answered('shop', 3), answered('idle')])
  t.same(latenciesOf(lines, 'shop').filter((line) => /le="0.00[15]"|_sum|_count/.test(line)).map((line) => line.split(' ')[1]), ['1', '2', '0.004', '2'])
  t.same(latenciesOf(lines, 'idle'), [])
  t.ok(lines.includes('dockapi_gateway_requests_total{service="idle",status="2xx"} 0'))
})

t.test('beyond a thousand services the rest is one series', async (t) => {
  const lines = await scrapeOf(Array.from({ length: 1_002 }, (_, index) => answered(`shop-${index}`, 1)))
  t.equal(lines.filter((line) => line.startsWith('dockapi_gateway_latency_seconds_count')).length, 1_001)
  t.ok(lines.includes('dockapi_gateway_latency_seconds_count{service="others"} 2'))
})

t.test('names of services are escaped', async (t) => {
  t.ok((await scrapeOf([answered('a"b\\c', 1)])).includes('dockapi_gateway_latency_seconds_count{service="a\\"b\\\\c"} 1'))
})

t.end()
