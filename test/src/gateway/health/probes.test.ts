import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import type { Upstream } from '../../../../src/forward/upstream.ts'
import { createPool } from '../../../../src/gateway/pool.ts'
import { probeAddress } from '../../../../src/gateway/health/probe-address.ts'
import { probeUpstream } from '../../../../src/gateway/health/http-probe.ts'
import { createProbes } from '../../../../src/gateway/health/probes.ts'
import type { ProbeWish } from '../../../../src/gateway/health/probes.ts'
import type { ActiveHealth } from '../../../../schemas/services.ts'
import { CERTIFICATE, KEY } from '../../../support/certificate.ts'
import { poolMember, poolService } from '../../../support/pool.ts'
import { createRawUpstream } from '../../../support/raw-upstream.ts'
import { until } from '../../../support/until.ts'

const never = new AbortController().signal
const at = (port: number, scheme: 'http' | 'https' = 'http'): Upstream => ({ containerId: 'a', scheme, host: '127.0.0.1', port, reason: 'the test says so' })

async function listen (t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return (server.address() as AddressInfo).port
}

/** What a probe makes of an upstream that says exactly these bytes. */
async function probeBytes (t: Test, bytes: string, health: Partial<ActiveHealth> = {}) {
  const upstream = await createRawUpstream(() => [{ send: bytes }])
  t.teardown(upstream.close)
  const result = await probeUpstream(at(upstream.port), { path: '/healthz', ...health }, never)
  return { ...result, upstream }
}

t.test('any 2xx and 3xx is healthy, or the one status that was named; redirects are not followed', async (t) => {
  for (const [status, wanted, isReady] of [[200, undefined, true], [204, undefined, true], [302, undefined, true], [404, undefined, false], [500, undefined, false], [404, 404, true], [200, 204, false]] as const) {
    const health = wanted === undefined ? {} : { status: wanted }
    const { upstream, ...result } = await probeBytes(t, `HTTP/1.1 ${status} Whatever\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n`, health)
    t.same(result, { isReady, detail: `GET /healthz answered ${status}` })
    t.equal(upstream.requests.length, 1)
  }
})

t.test('a probe says what it was told to, and waits for no body', async (t) => {
  const endless = 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'
  const { isReady, upstream } = await probeBytes(t, endless, { method: 'OPTIONS', path: '/up?deep=1', hostname: 'shop.test', headers: { 'x-probe': 'yes', Host: 'lost' } })
  t.ok(isReady)
  const [request] = upstream.requests
  t.match({ line: request!.line, hosts: request!.all('host'), probe: request!.header('x-probe') }, { line: 'OPTIONS /up?deep=1 HTTP/1.1', hosts: ['shop.test'], probe: 'yes' })
  t.equal((await probeBytes(t, endless)).upstream.requests[0]!.header('host')?.split(':')[0], '127.0.0.1')
  t.same((await probeBytes(t, endless, { headers: { HOST: 'own.test' } })).upstream.requests[0]!.all('host'), ['own.test'])
})

t.test('what is no answer is not healthy: silence, trickles, garbage, a reset, another protocol, nobody there', { timeout: 20_000 }, async (t) => {
  const bad = async (bytes: string, detail: RegExp) => { t.match(await probeBytes(t, bytes, { timeout: 0.2 }), { isReady: false, detail }) }
  await bad('', /no answer within 0.2 seconds/)
  await bad('SSH-2.0-OpenSSH_9.2\r\n', /failed: Parse Error/)
  await bad('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', /another protocol/)
  await bad(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, /Header overflow|failed/)
  const trickle = await createRawUpstream(() => [{ send: 'HTTP/1.1 200 OK\r\n' }, ...Array.from({ length: 200 }, () => [{ sleepMs: 20 }, { send: 'X: y\r\n' }]).flat()])
  t.teardown(trickle.close)
  t.match(await probeUpstream(at(trickle.port), { path: '/', timeout: 0.3 }, never), { isReady: false, detail: /no answer within/ })
  const broken = await createRawUpstream(() => [{ reset: true }])
  t.teardown(broken.close)
  t.match(await probeUpstream(at(broken.port), { path: '/' }, never), { isReady: false, detail: /ECONNRESET|hang up/ })
  await broken.close()
  t.match(await probeUpstream(at(broken.port), { path: '/' }, never), { isReady: false, detail: /ECONNREFUSED/ })
})

t.test('settings that cannot be sent are what the probe found, and an aborted one ends', async (t) => {
  t.match(await probeUpstream(at(1), { path: '/with space' }, never), { isReady: false, detail: /cannot be sent: .*unescaped/ })
  t.match(await probeUpstream(at(1), { path: '/', headers: { 'x\r\ny': '1' } }, never), { isReady: false, detail: /cannot be sent/ })
  const silent = await createRawUpstream(() => [])
  t.teardown(silent.close)
  const over = new AbortController()
  const probing = probeUpstream(at(silent.port), { path: '/' }, over.signal)
  await silent.request()
  over.abort()
  t.match(await probing, { isReady: false })
})

t.test('TLS: certificates are verified as for requests, and the name is the one of the settings', async (t) => {
  const names: unknown[] = []
  const server = createHttps({ cert: CERTIFICATE, key: KEY, SNICallback: (name, done) => { names.push(name); done(null) } }, (_, response) => { response.end('ok') })
  server.on('tlsClientError', () => {})
  const port = await listen(t, server)
  t.match(await probeUpstream(at(port, 'https'), { path: '/', hostname: 'shop.test' }, never), { isReady: false, detail: /self-signed certificate/ })
  t.match(await probeUpstream(at(port), { path: '/', scheme: 'https' }, never), { isReady: false, detail: /self-signed certificate/ })
  t.same(names, ['shop.test'])
  t.match(await probeUpstream(at(port), { path: '/', timeout: 1 }, never), { isReady: false }, 'plain HTTP to it is no answer')
})

t.test('another port of the container is probed where it can be reached', (t) => {
  const direct = poolMember('a')
  const upstream = at(80)
  t.same(probeAddress(direct, upstream, { path: '/' }), { upstream })
  t.match(probeAddress(direct, upstream, { path: '/', port: 9000 }), { upstream: { host: '127.0.0.1', port: 9000 } })
  t.match(probeAddress(direct, at(49_153), { path: '/', port: 9000 }), { problem: /Port 9000/ }, 'a published port stands for itself')
  const published = { ...direct, container: { ...direct.container, addresses: new Map([[9000, { upstream: at(49_154) }]]) } }
  t.match(probeAddress(published, at(49_153), { path: '/', port: 9000 }), { upstream: { port: 49_154 } })
  t.end()
})

/** An application whose health is at hand, and every probe of it. */
async function createApplication (t: Test) {
  const application = { status: 200, probes: 0, connections: 0, port: 0 }
  const server = createHttp((_, response) => {
    application.probes++
    response.writeHead(application.status).end()
  }).on('connection', () => { application.connections++ })
  application.port = await listen(t, server)
  return application
}

function createTestProbes (t: Test) {
  const changes = { count: 0 }
  const probes = createProbes(() => { changes.count++ })
  t.teardown(probes.close)
  const wish = (key: string, port: number, health: Partial<ActiveHealth> = {}, isTrusted = false): ProbeWish => ({ key, address: { upstream: at(port) }, health: { path: '/', interval: 0.02, ...health }, isTrusted })
  return { probes, wish, changes }
}

t.test('verdicts follow the thresholds, each probe on a connection of its own', async (t) => {
  const { probes, wish, changes } = createTestProbes(t)
  const application = await createApplication(t)
  probes.follow([wish('a', application.port, { healthy_threshold: 3, unhealthy_threshold: 2 })])
  t.equal(probes.get('a')?.isHealthy, undefined)
  await until(() => probes.get('a')?.isHealthy === true)
  t.ok(application.probes >= 3)
  application.status = 500
  const before = application.probes
  await until(() => probes.get('a')?.isHealthy === false)
  t.ok(application.probes >= before + 2)
  t.equal(probes.get('a')?.detail, 'GET / answered 500')
  application.status = 200
  await until(() => probes.get('a')?.isHealthy === true)
  t.equal(changes.count, 3)
  t.equal(application.connections, application.probes)
})

t.test('a verdict outlives every table; probes end with the wish and with the pool', async (t) => {
  const { probes, wish } = createTestProbes(t)
  const [one, two] = [await createApplication(t), await createApplication(t)]
  probes.follow([wish('one', one.port), wish('two', two.port)])
  await until(() => probes.get('one')?.isHealthy === true && probes.get('two')?.isHealthy === true)
  probes.follow([wish('one', one.port), wish('new', two.port)])
  t.equal(probes.get('one')?.isHealthy, true)
  t.equal(probes.get('two'), undefined)
  const { probes: countOne } = one
  await until(() => one.probes > countOne + 2 && probes.get('new')?.isHealthy === true)
  probes.follow([])
  t.equal(probes.get('one'), undefined)
  probes.close()
  probes.follow([wish('late', one.port)])
  t.equal(probes.get('late'), undefined)
})

t.test('an upstream that moved is asked at its new address, and one without an address says why', async (t) => {
  const { probes, wish } = createTestProbes(t)
  const [before, after] = [await createApplication(t), await createApplication(t)]
  probes.follow([wish('a', before.port)])
  await until(() => before.probes > 0)
  probes.follow([wish('a', after.port)])
  await until(() => after.probes > 0)
  probes.follow([{ ...wish('b', 0), address: { problem: 'It has none.' } }])
  await until(() => probes.get('b')?.isHealthy === false)
  t.equal(probes.get('b')?.detail, 'It has none.')
})

t.test('a new upstream is asked soon again until it is well, however long its interval', async (t) => {
  const { probes, wish } = createTestProbes(t)
  const application = await createApplication(t)
  application.status = 503
  probes.follow([wish('a', application.port, { interval: 3_600 })])
  await until(() => application.probes >= 3)
  application.status = 200
  await until(() => probes.get('a')?.isHealthy === true)
})

t.test('of many that hang only some are asked at once, and the others have their turn', { timeout: 20_000 }, async (t) => {
  const { probes, wish } = createTestProbes(t)
  const silent = await createRawUpstream(() => [])
  t.teardown(silent.close)
  const application = await createApplication(t)
  const hanging = Array.from({ length: 40 }, (_, index) => wish(`hanging ${index}`, silent.port, { timeout: 0.3, interval: 60 }))
  probes.follow([...hanging, wish('well', application.port)])
  await until(() => silent.connections.length >= 32)
  t.equal(silent.connections.filter(({ ended }) => ended === 'open').length, 32)
  t.equal(application.probes, 0)
  await until(() => probes.get('well')?.isHealthy === true)
})

t.test('in a pool: none before the first good probe, none while they fail, and what served before serves on', async (t) => {
  const pool = createPool({ secret: randomBytes(32) })
  t.teardown(pool.close)
  const application = await createApplication(t)
  application.status = 500
  const members = [poolMember('a', { dialledPort: application.port }), poolMember('b')]
  const health = { path: '/up', interval: 0.02, unhealthy_threshold: 1 }
  const only = (settings = {}) => poolService([members[0]!], settings)
  const stateOf = (service = only({ health })) => pool.stateOf(service, members[0]!).state

  t.equal(stateOf(), 'probing', 'also before the pool was told of the table')
  pool.follow([only({ health })])
  t.throws(() => pool.take(only({ health }), {}), { code: 'upstream_not_ready', retryAfterSeconds: 1, message: /probing \(its health path \/up has not answered yet\)/ })
  await until(() => stateOf() === 'failing')
  t.throws(() => pool.take(only({ health }), {}), { code: 'upstream_not_ready', message: /failing/ })
  t.match(pool.stateOf(only({ health }), members[0]!), { probe: 'GET /up answered 500' })
  application.status = 200
  await until(() => stateOf() === 'up')
  t.equal(pool.take(only({ health }), {}).member.container.id, 'a')

  pool.follow([only({ health: { ...health, path: '/other' } })])
  t.equal(stateOf(only({ health: { ...health, path: '/other' } })), 'up', 'new settings begin with the old verdict')
  pool.follow([only()])
  application.status = 500
  pool.follow([only({ health })])
  t.equal(stateOf(), 'up', 'what served without probes serves until they say no')
  await until(() => stateOf() === 'failing')

  const restarted = poolService([poolMember('a', { dialledPort: application.port, run: 'second' })], { health })
  pool.follow([restarted])
  t.equal(pool.stateOf(restarted, restarted.members[0]!).state, 'probing', 'a new run is asked anew')
})

t.end()
