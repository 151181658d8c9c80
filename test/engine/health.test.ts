import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createTestApp } from '../support/app.ts'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'
import type { ChaosSocket } from '../support/chaos-socket.ts'
import { until } from '../support/until.ts'

await t.test('GET /healthz describes an engine that answers', async (t) => {
  const chaos = await createChaosSocket(t)
  const app = await createTestApp(t, { DOCKER_HOST: chaos.host })
  const response = await app.inject('/healthz')
  t.equal(response.statusCode, 200)
  const { engine, ...rest } = response.json<{ ok: boolean, engine: Record<string, unknown> }>()
  t.strictSame(rest, { ok: true })
  t.match(engine, { endpoint: `${chaos.host} (DOCKER_HOST)`, version: /^\d+\.\d+/, api: /^1\.\d+$/, name: /./, disabled: [] })
  t.equal(response.headers['cache-control'], 'no-store')
  t.match((await app.inject('/readyz')).json(), { ok: true })
})

await t.test('where a token is needed, who has none learns whether the engine answers, and no more', async (t) => {
  const chaos = await createChaosSocket(t)
  const token = 'a-secret-of-24-characters'
  const app = await createTestApp(t, { DOCKER_HOST: chaos.host, DOCKAPI_TOKEN: token })
  const ask = async (url: string, authorization?: string) => (await app.inject({ url, headers: authorization === undefined ? {} : { authorization } })).json()
  const known = `Bearer ${token}`
  for (const stranger of [undefined, 'Bearer wrong']) t.strictSame(await ask('/healthz', stranger), { ok: true })
  t.match(await ask('/healthz', known), { ok: true, engine: { endpoint: `${chaos.host} (DOCKER_HOST)` } })
  await chaos.stop()
  for (const url of ['/healthz', '/readyz']) t.notMatch(JSON.stringify(await ask(url)), chaos.path)
  t.strictSame(await ask('/readyz'), { ok: false, error: 'The engine does not answer.' })
  t.match(await ask('/readyz', known), { error: /does not exist/ })
})

await t.test('the server starts without an engine and finds it when it comes', async (t) => {
  const chaos = await createChaosSocket(t, { isStarted: false })
  const app = await createTestApp(t, { DOCKER_HOST: chaos.host })
  const response = await app.inject('/healthz')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8', 'the Health document, no problem')
  t.match(response.json(), { ok: false, engine: { endpoint: `${chaos.host} (DOCKER_HOST)`, error: /does not exist/, hint: /Start Docker/, disabled: [] } })
  t.match(await app.inject('/readyz'), { statusCode: 503 })
  t.match(await app.inject('/livez'), { statusCode: 200 })
  t.match(await app.inject('/images'), { statusCode: 503 })

  await chaos.start()
  t.equal((await app.inject('/healthz')).statusCode, 200)
  t.equal((await app.inject('/readyz')).statusCode, 200)
  t.equal((await app.inject('/images')).statusCode, 200)

  await chaos.stop()
  t.equal((await app.inject('/healthz')).statusCode, 503)
  await chaos.start()
  t.equal((await app.inject('/healthz')).statusCode, 200)
})

await t.test('a wrong setting is told by /healthz, not by a crash', async (t) => {
  const app = await createTestApp(t, { DOCKER_HOST: '/var/run/docker.sock' })
  const response = await app.inject('/healthz')
  t.equal(response.statusCode, 503)
  t.match(response.json(), { ok: false, engine: { error: /DOCKER_HOST is "\/var\/run\/docker\.sock"/, hint: /unix:\/\/\/var\/run\/docker\.sock/ } })
})

await t.test('while the engine is away it is looked for anew, elsewhere too', async (t) => {
  const [first, second] = [await createChaosSocket(t), await createChaosSocket(t)]
  const folder = t.testdir({})
  const choose = async ({ host }: ChaosSocket) => {
    const meta = join(folder, 'contexts/meta', createHash('sha256').update('mine').digest('hex'))
    await mkdir(meta, { recursive: true })
    await writeFile(join(meta, 'meta.json'), JSON.stringify({ Name: 'mine', Endpoints: { docker: { Host: host } } }))
  }
  await choose(first)
  const engine = engineAt(t, { DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'mine' })
  t.match(await engine.health(), { ok: true, engine: { endpoint: `${first.host} (context "mine" of DOCKER_CONTEXT)` } })
  await choose(second)
  t.match(await engine.health(), { ok: true, engine: { endpoint: first.host } }, 'one that answers is kept')
  await first.stop()
  t.match(await engine.health(), { ok: true, engine: { endpoint: second.host } })
})

await t.test('health takes no longer than its limit when the engine hangs', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  t.match(await engine.health(), { ok: true })
  chaos.rule(/./, { kind: 'hang' })
  t.match(await engine.health(), { ok: false, engine: { error: /did not answer/ } }, 'an engine that was known')
  t.match(await engineAt(t, { DOCKER_HOST: chaos.host }).health(), { ok: false, engine: { error: /did not answer/ } }, 'one that never answered')
  chaos.clear()
  t.match(await engine.health(), { ok: true })
})

await t.test('an engine that is slow to describe itself is healthy', async (t) => {
  const chaos = await createChaosSocket(t)
  chaos.rule('/info', { kind: 'hang' })
  const state = await engineAt(t, { DOCKER_HOST: chaos.host }).health()
  t.match(state, { ok: true, engine: { api: /^1\./ } })
  t.notOk(state.engine.name)
})

await t.test('callers at the same time share one probe, and the sections are asked once for each time that the engine is found', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  await Promise.all(Array.from({ length: 100 }, () => engine.health()))
  t.equal(chaos.count('/_ping'), 1)
  await engine.health()
  t.equal(chaos.count('/_ping'), 2)
  for (const path of ['/info', '/containers/json', '/images/json', '/networks', '/events']) t.equal(chaos.count(path), 1, path)

  await chaos.stop()
  t.match(await engine.health(), { ok: false })
  await chaos.start()
  await until(async () => (await engine.health()).ok)
  t.equal(chaos.count('/info'), 2)
})

await t.test('what a socket proxy refuses is listed without anyone asking for it', async (t) => {
  const chaos = await createChaosSocket(t)
  for (const path of ['/info', '/images/json', '/networks', '/events']) chaos.rule(path, { kind: 'answer', status: 403, type: 'text/html', body: '<html>403</html>' })
  t.match(await engineAt(t, { DOCKER_HOST: chaos.host }).health(), { ok: true, engine: { disabled: ['EVENTS', 'IMAGES', 'INFO', 'NETWORKS'] } })
})
