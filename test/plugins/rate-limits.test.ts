import { Writable } from 'node:stream'
import t from 'tap'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createTestApp } from '../support/app.ts'
import { redisMissing, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const PASSWORD = 'secret-of-redis'

await t.test('the request after the last one is 429, with when to come again', async (t) => {
  const app = await createTestApp(t, { DOCKAPI_RATE_LIMIT: '3' })
  const remaining = []
  for (let count = 0; count < 3; count++) {
    const { statusCode, headers } = await app.inject('/docs')
    t.equal(statusCode, 200)
    remaining.push(headers['ratelimit-remaining'])
    t.equal(headers['ratelimit-limit'], '3')
  }
  t.same(remaining, ['2', '1', '0'])
  for (const url of ['/docs', '/nowhere', '/containers']) {
    const response = await app.inject(url)
    t.equal(response.statusCode, 429, url)
    t.match(response.json(), { code: 'too_many_requests', detail: /DOCKAPI_RATE_LIMIT/, retryable: true })
    t.match(response.headers, { 'content-type': /problem\+json/, 'ratelimit-remaining': '0' })
    t.ok(Number(response.headers['retry-after']) > 0 && Number(response.headers['retry-after']) <= 60)
  }
  const upgrade = await app.inject({ url: '/events', headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' } })
  t.equal(upgrade.statusCode, 429, 'an upgrade')
  t.equal((await app.inject('/livez')).statusCode, 200, 'whether the server lives is not counted')
})

await t.test('each token and each network has a count of its own', async (t) => {
  const app = await createTestApp(t, { DOCKAPI_RATE_LIMIT: '1', DOCKAPI_TOKEN: 'a-secret-of-24-characters' })
  const { token } = app.tokens.create({ name: 'one', scopes: ['admin'] })
  const { token: other } = app.tokens.create({ name: 'other', scopes: ['admin'] })
  const call = async (bearer: string, remoteAddress: string) => (await app.inject({ url: '/tokens', remoteAddress, headers: { authorization: `Bearer ${bearer}` } })).statusCode
  t.equal(await call(token, '203.0.113.1'), 200)
  t.equal(await call(token, '203.0.113.2'), 429, 'the same token from elsewhere')
  t.equal(await call(other, '203.0.113.1'), 200, 'another token from there')
  t.equal(await call('a-secret-of-24-characters', '203.0.113.1'), 200, 'DOCKAPI_TOKEN')
  const visit = async (remoteAddress: string) => (await app.inject({ url: '/docs', remoteAddress })).statusCode
  t.equal(await visit('2001:db8:1:2::1'), 200)
  t.equal(await visit('2001:db8:1:2:ffff::2'), 429, 'the same /64')
  t.equal(await visit('2001:db8:1:3::1'), 200, 'another one')
})

await t.test('0 is no limit, and requests to applications are not counted', async (t) => {
  const open = await createTestApp(t, { DOCKAPI_RATE_LIMIT: '0' })
  t.notOk((await open.inject('/docs')).headers['ratelimit-limit'])
  const { app, calls } = await createWithApplication(t)
  for (let count = 0; count < 5; count++) t.equal((await app.inject('/application/x')).statusCode, 200)
  t.equal(calls(), 5)
})

async function createWithApplication (t: Test) {
  const app = await createTestApp(t, { DOCKAPI_RATE_LIMIT: '1' })
  let count = 0
  app.get('/application/*', { config: { proxied: true, scope: 'read' } }, async () => ({ count: ++count }))
  return { app, calls: () => count }
}

await t.test('instances share one count in Redis, and nobody is refused while it is away', { skip: redisMissing ?? false }, async (t) => {
  const redis = await startRedis(t, { password: PASSWORD })
  const lines: string[] = []
  const stream = new Writable({ write (chunk, _encoding, done) { lines.push(String(chunk)); done() } })
  const build = async () => {
    const config = loadConfig({ env: { DOCKER_HOST: process.env.DOCKER_HOST, DOCKAPI_GATEWAY_PORT: 'off', DOCKAPI_DATA_DIR: 'memory', DOCKAPI_RATE_LIMIT: '1000', DOCKAPI_RATE_LIMIT_REDIS: redis.url } })
    const app = await buildApp(config, { logger: { level: 'warn', stream } as object })
    t.after(() => app.close())
    return app
  }
  const apps = [await build(), await build()]
  const visit = async (index: number) => (await apps[index]!.inject('/docs')).headers['ratelimit-remaining']
  await until(async () => await visit(0) !== undefined && await visit(1) !== undefined)
  const before = Number(await visit(0))
  t.equal(Number(await visit(1)), before - 1)
  t.equal(Number(await visit(0)), before - 2)

  await redis.stop()
  lines.length = 0
  for (let count = 0; count < 5; count++) {
    const response = await apps[0]!.inject('/docs')
    t.equal(response.statusCode, 200)
    t.notOk(response.headers['ratelimit-remaining'])
  }
  t.equal(lines.filter((line) => line.includes('Redis does not count')).length, 1, 'it is said once')
  t.notMatch(lines.join(''), PASSWORD)

  await startRedis(t, { password: PASSWORD, port: redis.port })
  await until(async () => await visit(0) !== undefined)
  t.pass('it counts again')
})
