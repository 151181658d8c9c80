import t from 'tap'
import { createBuckets } from '../../../../src/gateway/middlewares/buckets.ts'
import { networkOf } from '../../../../src/auth/network.ts'
import { createMiddlewareGateway } from '../../../support/middleware-gateway.ts'
import { connect, exchange } from '../../../support/raw-client.ts'
import { until } from '../../../support/until.ts'

const get = (headers = '') => `GET / HTTP/1.1\r\nHost: app.test\r\n${headers}\r\n`

t.test('only allowed addresses pass', async (t) => {
  const gateway = await createMiddlewareGateway(t)
  gateway.use({ ip_allow_list: { source_range: ['10.1.2.3/8', '192.0.2.7', ' 2001:db8::/32 ', '::1'] } })
  for (const [address, isAllowed] of [['10.255.0.1', true], ['::ffff:10.0.0.1', true], ['11.0.0.1', false], ['192.0.2.7', true], ['192.0.2.8', false], ['2001:db8:1::1', true], ['2001:db9::1', false], ['::1', true], ['::1%lo', true], ['nonsense', false], ['', false]] as const) {
    gateway.clientAddress = address
    t.equal((await exchange(t, gateway.port, get('X-Forwarded-For: 10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n'))).status, isAllowed ? 200 : 403, address)
  }
  gateway.use({ ip_allow_list: { source_range: ['10.0.0.0/8'], reject_status_code: 404 } })
  const hidden = await exchange(t, gateway.port, get())
  t.equal(hidden.status, 404)
  t.equal(hidden.body, '')
  for (const range of ['10.0.0.0/33', '10.0.0', 'example.test', '::/129', '10.0.0.0/', '10.0.0.0/-1']) {
    const [middleware] = gateway.use({ ip_allow_list: { source_range: [range] } })
    t.match(middleware!.problem, 'source_range', range)
  }
})

t.test('who asks too often is told when to come again', async (t) => {
  const gateway = await createMiddlewareGateway(t)
  const definition = { rate_limit: { average: 1, period: 100, burst: 2 } }
  gateway.use(definition)
  const ask = async (headers?: string) => await exchange(t, gateway.port, get(headers))
  t.same([(await ask()).status, (await ask()).status], [200, 200])
  const refused = await ask()
  t.equal(refused.status, 429)
  t.equal(refused.json().code, 'too_many_requests')
  t.equal(refused.header('retry-after'), '100')
  gateway.registry.get('m0', definition)
  gateway.registry.sweep()
  gateway.use(definition)
  t.equal((await ask()).status, 429, 'it is remembered while the definition is in use')
  gateway.clientAddress = '203.0.113.1'
  t.equal((await ask()).status, 200, 'others are not touched')
  gateway.registry.sweep()
  gateway.registry.sweep()
  gateway.clientAddress = undefined
  gateway.use(definition)
  t.equal((await ask()).status, 200, 'a definition that vanished is forgotten')
  gateway.use({ rate_limit: { average: 1, period: 100, source_header: 'X-Key' } })
  t.same([(await ask('X-Key: a\r\n')).status, (await ask('X-Key: b\r\n')).status, (await ask('X-Key: a\r\n')).status, (await ask()).status, (await ask()).status], [200, 200, 429, 200, 429])
  gateway.use({ rate_limit: { average: 1, period: 100, source_host: true } })
  t.same([(await ask()).status, (await ask()).status], [200, 429])
  gateway.use({ rate_limit: { average: 0 } })
  t.same([(await ask()).status, (await ask()).status, (await ask()).status], [200, 200, 200])
})

t.test('tokens come back with time, and the quietest source is forgotten first', async (t) => {
  const buckets = createBuckets({ perSecond: 2, burst: 2, maxSources: 3 })
  t.same([buckets.take('a', 0), buckets.take('a', 0), buckets.take('a', 0)], [0, 0, 0.5])
  t.same([buckets.take('a', 250), buckets.take('a', 500), buckets.take('a', 500)], [0.25, 0, 0.5], 'a refusal costs nothing')
  t.equal(buckets.take('a', 100_000), 0)
  t.equal(buckets.take('a', 100_000), 0)
  t.ok(buckets.take('a', 100_000) > 0, 'never more than burst')
  for (const source of ['b', 'c', 'd']) buckets.take(source, 100_000)
  t.equal(buckets.look('a', 100_000), 0, 'forgotten')
})

t.test('an IPv6 network counts as one caller', async (t) => {
  for (const [address, network] of [['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'], ['2001:db8::1', '2001:db8:0:0::/64'], ['2001:0DB8::', '2001:db8:0:0::/64'], ['::1', '0:0:0:0::/64'], ['fe80::1%eth0', 'fe80:0:0:0::/64'], ['1::2:3:4:5:6:7', '1:0:2:3::/64'], ['::ffff:10.0.0.1', '10.0.0.1'], ['10.0.0.1', '10.0.0.1']] as const) {
    t.equal(networkOf(address), network, address)
  }
})

t.test('requests at a time are bounded, upgraded connections too', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const gateway = await createMiddlewareGateway(t, ({ path }) => path === '/up'
    ? [{ send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n' }, { until: new Promise(() => {}) }]
    : [{ until: path === '/hang' ? new Promise(() => {}) : promise }, { send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' }])
  gateway.use({ in_flight_req: { amount: 2 } })
  const first = await connect(t, gateway.port)
  await first.send(get())
  await gateway.rawd.request(0)
  const second = await connect(t, gateway.port)
  await second.send('GET /up HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n')
  await second.until((text) => text.includes('101'))
  const refused = await exchange(t, gateway.port, get())
  t.equal(refused.status, 429)
  t.equal(refused.json().code, 'too_many_requests')
  t.ok(refused.header('retry-after'))
  gateway.clientAddress = '203.0.113.1'
  resolve()
  t.equal((await exchange(t, gateway.port, get())).status, 200, 'another caller')
  gateway.clientAddress = undefined
  t.equal((await first.answer()).status, 200)
  t.equal((await exchange(t, gateway.port, get())).status, 200, 'the end of an answer makes room')
  const third = await connect(t, gateway.port)
  await third.send('GET /hang HTTP/1.1\r\nHost: app.test\r\n\r\n')
  t.equal((await exchange(t, gateway.port, get())).status, 429)
  second.reset()
  await until(async () => (await exchange(t, gateway.port, get())).status === 200)
})

t.test('bodies that are too large are refused or cut off', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t)
  use({ buffering: { max_request_body_bytes: 10 } })
  const told = await exchange(t, port, `POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 11\r\n\r\n${'x'.repeat(11)}`)
  t.equal(told.status, 413)
  t.equal(told.json().code, 'body_too_large')
  t.equal(rawd.requests.length, 0)
  const right = await exchange(t, port, 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n')
  t.equal(right.status, 200)
  t.equal((await rawd.request()).bodyLength, 10)
  const client = await connect(t, port)
  await client.send('POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n')
  const upload = await rawd.request(1)
  await client.send('6\r\n56789a\r\n')
  const streamed = await client.answer()
  t.equal(streamed.status, 413)
  t.equal(streamed.json().code, 'body_too_large')
  await upload.peer.closed
  t.equal(upload.isComplete, false, 'the application never takes it for a whole body')
  await client.send('0\r\n\r\nGET /next HTTP/1.1\r\nHost: app.test\r\n\r\n')
  t.equal((await client.answer()).status, 200, 'the connection goes on')
})

t.test('answers that are too large are refused or cut off', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t)
  use({ buffering: { max_response_body_bytes: 10 } })
  const answer = async (text: string, method = 'GET') => {
    rawd.plan = () => [{ wait: 'body' }, { send: text }, { end: true }]
    return await exchange(t, port, `${method} / HTTP/1.1\r\nHost: app.test\r\n\r\n`)
  }
  t.equal((await answer(`HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n${'x'.repeat(10)}`)).body.length, 10)
  const known = await answer(`HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n${'x'.repeat(11)}`)
  t.equal(known.status, 502)
  t.match(known.json().detail, 'larger')
  t.equal((await answer('HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n', 'HEAD')).status, 200)
  const fits = await answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n')
  t.equal(fits.body, '0123456789')
  t.match(fits.trailers, 'X-T: 1')
  t.equal(fits.isComplete, true)
  const cut = await answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n56789a\r\n0\r\n\r\n').catch((error: Error) => error)
  t.ok(cut instanceof Error || !cut.isComplete, 'half an answer never looks whole')
})
