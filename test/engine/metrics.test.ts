import { once } from 'node:events'
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import t from 'tap'
import type { ContainerInfo } from '../../schemas/containers.ts'
import { METRICS } from '../../src/metrics/catalogue.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { createTestEngine, nodeImage, TEST_RUN } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { openStream } from '../support/stream-client.ts'
import { until } from '../support/until.ts'

type Sample = { name: string, labels: Record<string, string>, value: number }

/** Prometheus reads numbers as Go does: NaN in any case. */
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? ([Nn]a[Nn]|[+-]Inf|[-+0-9.e]+)$/

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const chaos = await createChaosSocket(t)
const { url, app } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKER_HOST: chaos.host })
const api = createClient(url)
const name = `counted-${TEST_RUN.replaceAll('.', '-')}`

/** Every sample of a scrape. @throws on a line that is not of Prometheus' text format 0.0.4. */
async function scrape (): Promise<Sample[]> {
  const answer = await fetch(`${url}/metrics`)
  t.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  const text = await answer.text()
  t.ok(text.endsWith('\n'))
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? (() => { throw new Error(`no sample: ${line}`) })()
    return { name: name!, value: Number(value), labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key!, text!])) }
  })
}

async function valueOf (wanted: string, labels: Record<string, string> = {}): Promise<number> {
  const found = (await scrape()).filter((sample) => sample.name === wanted && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
  return found.reduce((sum, { value }) => sum + value, 0)
}

await until(() => app.gateway.isReady && app.gateway.isCurrent)
const { body: { id } } = await api.run<ContainerInfo>({ image, name, container_port: 8080, init: true, command: ['node', '--input-type=module', '--eval', APPLICATION], wait_ready: true })
const gatewayUrl = `http://127.0.0.1:${app.gateway.port}`

/** `fetch` sends no other Host than that of its URL. */
async function ask (path = '/'): Promise<void> {
  const [answer] = await once(get(`${gatewayUrl}${path}`, { headers: { host: `${name}.localhost` } }), 'response') as [IncomingMessage]
  await answer.toArray()
}

t.test('a scrape is in the text format: every metric is described once, and no sample comes twice', async (t) => {
  const text = await (await fetch(`${url}/metrics`)).text()
  for (const kind of ['HELP', 'TYPE']) {
    const described = [...text.matchAll(new RegExp(`^# ${kind} (\\S+) `, 'gm'))].map(([, metric]) => metric)
    t.same(described.length, new Set(described).size)
    for (const metric of Object.keys(METRICS)) t.ok(described.includes(metric), `${kind} ${metric}`)
  }
  const samples = (await scrape()).map(({ name, labels }) => name + JSON.stringify(labels))
  t.equal(samples.length, new Set(samples).size)
  t.ok(samples.some((sample) => sample.startsWith('process_resident_memory_bytes')), 'the process is told too')
  t.ok(samples.some((sample) => sample.startsWith('nodejs_eventloop_lag_seconds')))
})

t.test('what is asked of the API is counted by operation and class of status', async (t) => {
  const count = async (operation: string, status: string) => await valueOf('dockapi_api_requests_total', { operation, status })
  const before = [await count('listContainers', '2xx'), await count('getContainer', '4xx'), await count('none', '4xx')]
  await api.get('/containers')
  await api.get('/containers?limit=1')
  await api.get('/containers/not-there')
  await api.get('/nowhere')
  await until(async () => await count('none', '4xx') === before[2]! + 1)
  t.same([await count('listContainers', '2xx'), await count('getContainer', '4xx')], [before[0]! + 2, before[1]! + 1])
  t.equal(await valueOf('dockapi_api_request_duration_seconds_count', { operation: 'getContainer' }), await count('getContainer', '4xx') + await count('getContainer', '2xx'))
})

t.test('calls to the engine are counted, those that fail with the code of the error', async (t) => {
  const lists = await valueOf('dockapi_engine_calls_total', { call: 'containers.list', result: 'ok' })
  await api.get('/containers')
  t.ok(await valueOf('dockapi_engine_calls_total', { call: 'containers.list', result: 'ok' }) > lists)
  const missing = await valueOf('dockapi_engine_calls_total', { call: 'containers.inspect', result: 'container_not_found' })
  await api.get('/containers/not-there')
  t.ok(await valueOf('dockapi_engine_calls_total', { call: 'containers.inspect', result: 'container_not_found' }) > missing)
})

t.test('an open stream is in flight, and among the streams', async (t) => {
  const before = await valueOf('dockapi_streams_open')
  const stream = await openStream(t, `${url}/events`)
  t.equal(await valueOf('dockapi_streams_open'), before + 1)
  t.equal(await valueOf('dockapi_api_in_flight', { operation: 'streamEvents' }), 1)
  stream.leave()
  await until(async () => await valueOf('dockapi_api_in_flight', { operation: 'streamEvents' }) === 0)
})

t.test('the gateway tells its routes, upstreams and traffic', async (t) => {
  const requests = (status: string) => valueOf('dockapi_gateway_requests_total', { service: name, status })
  const before = await requests('2xx')
  await Promise.all(Array.from({ length: 5 }, () => ask()))
  t.equal(await requests('2xx'), before + 5)
  // Other tests have routes too.
  t.ok(await valueOf('dockapi_routes') >= 1)
  t.ok(await valueOf('dockapi_upstreams', { state: 'up' }) >= 1)
  t.ok(await valueOf('dockapi_upstreams') >= await valueOf('dockapi_upstreams', { state: 'up' }))
  t.equal(await valueOf('dockapi_gateway_current'), 1)
  const refused = await valueOf('dockapi_gateway_refusals_total', { code: 'host_not_found' })
  t.equal((await fetch(gatewayUrl)).status, 404)
  t.equal(await valueOf('dockapi_gateway_refusals_total', { code: 'host_not_found' }), refused + 1)
})

t.test('the gateway tells latencies as a cumulative histogram that only grows', async (t) => {
  const latencies = async () => {
    const own = (await scrape()).filter(({ labels, name: metric }) => labels.service === name && metric.startsWith('dockapi_gateway_latency_seconds_'))
    const of = (kind: string) => own.filter(({ name: metric }) => metric.endsWith(kind))
    const buckets = of('_bucket').map(({ labels: { le }, value }) => ({ bound: le === '+Inf' ? Infinity : Number(le), value }))
    return { buckets, sum: of('_sum')[0]!.value, count: of('_count')[0]!.value }
  }
  await ask()
  const before = await latencies()
  await Promise.all([ask(), ask(), ask('/slow/600')])
  const after = await latencies()
  t.equal(after.count, before.count + 3)
  t.equal(after.count, await valueOf('dockapi_gateway_requests_total', { service: name }))
  t.ok(after.sum > before.sum + 0.59, 'in seconds')
  t.same(after.buckets.map(({ bound }) => bound), after.buckets.map(({ bound }) => bound).toSorted((one, other) => one - other))
  t.same(after.buckets.at(-1), { bound: Infinity, value: after.count })
  t.ok(after.buckets.every(({ value }, index) => value >= before.buckets[index]!.value && value >= (after.buckets[index - 1]?.value ?? 0)))
  const { value: withinHalf } = after.buckets.find(({ bound }) => bound === 0.5)!
  t.ok(withinHalf < after.count, 'the slow one is beyond half a second')
})

t.test('events are counted with their lag, and a lost stream of them', async () => {
  const events = await valueOf('dockapi_event_lag_seconds_count')
  await api.post(`/containers/${id}/pause`)
  await api.post(`/containers/${id}/unpause`)
  await until(async () => await valueOf('dockapi_event_lag_seconds_count') >= events + 2)
  const [opened, lost] = [await valueOf('dockapi_event_streams_opened_total'), await valueOf('dockapi_event_streams_lost_total')]
  await chaos.stop()
  await chaos.start()
  await until(async () => await valueOf('dockapi_event_streams_lost_total') > lost && await valueOf('dockapi_event_streams_opened_total') > opened)
})

t.test('what is gone is counted as a tombstone, and its series go', async () => {
  const before = await valueOf('dockapi_tombstones')
  await api.delete(`/containers/${id}?force=true`)
  // Containers of other tests leave tombstones too.
  await until(async () => await valueOf('dockapi_tombstones') > before)
  await until(async () => (await scrape()).every(({ labels }) => labels.service !== name))
})

t.test('S30: a token needs the scope read, and must not be narrowed to some containers', async (t) => {
  const { app } = await listenTestApp(t, { DOCKAPI_TOKEN: 'a-secret-of-24-characters' })
  const status = async (token?: string) => (await app.inject({ url: '/metrics', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })).statusCode
  t.equal(await status(), 401)
  t.equal(await status(app.tokens.create({ name: 'monitor', scopes: ['read'] }).token), 200)
  t.equal(await status(app.tokens.create({ name: 'runner', scopes: ['run'] }).token), 403)
  t.equal(await status(app.tokens.create({ name: 'tenant', scopes: ['read'], labels: { tenant: 'blue' } }).token), 403)
})

t.end()
