import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import type { Engine } from '../../src/engine/engine.ts'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'
import type { ChaosSocket } from '../support/chaos-socket.ts'
import { until } from '../support/until.ts'

function list (engine: Engine, timeoutMs?: number) {
  return engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ all: true, abortSignal }), { timeoutMs })
}

/** An engine of which nothing but its versions is real. */
async function createVersionedEngine (t: Test, oldest: string, newest: string): Promise<ChaosSocket> {
  const chaos = await createChaosSocket(t, { engine: null })
  const versions = { Version: '99.0', ApiVersion: newest, MinAPIVersion: oldest }
  chaos.rule('/_ping', { kind: 'answer', status: 200, body: 'OK', type: 'text/plain', headers: { 'api-version': newest } })
  chaos.rule('/version', { kind: 'answer', status: 200, body: JSON.stringify(versions) })
  chaos.rule('/containers/json', { kind: 'answer', status: 200, body: '[]' })
  return chaos
}

await t.test('each call speaks the negotiated version', async (t) => {
  for (const [oldest, newest, spoken] of [['1.24', '1.41', '1.41'], ['1.44', '1.52', '1.51']] as const) {
    const chaos = await createVersionedEngine(t, oldest, newest)
    t.strictSame(await list(engineAt(t, { DOCKER_HOST: chaos.host })), [])
    t.match(chaos.requests.at(-1), `GET /v${spoken}/containers/json`)
  }
})

await t.test('an engine beyond our reach is one clear error', async (t) => {
  const chaos = await createVersionedEngine(t, '1.60', '1.70')
  await t.rejects(list(engineAt(t, { DOCKER_HOST: chaos.host })), { code: 'engine_unavailable', message: /1\.60 to 1\.70/ })
  t.equal(chaos.count('/containers/json'), 0)
})

await t.test('the version is negotiated anew when the engine was replaced', async (t) => {
  const chaos = await createVersionedEngine(t, '1.24', '1.41')
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  await list(engine)

  chaos.rule('/version', { kind: 'answer', status: 200, body: JSON.stringify({ Version: '100', ApiVersion: '1.52', MinAPIVersion: '1.44' }) })
  chaos.rule(/^GET \/containers\/json/, { kind: 'answer', status: 400, body: JSON.stringify({ message: 'client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version' }) })
  await t.rejects(list(engine), { code: 'engine_refused' }, 'this one refuses every version')
  t.strictSame(chaos.requests.filter((line) => line.includes('/containers/json')), ['1.41', '1.41', '1.51'].map((version) => `GET /v${version}/containers/json?all=true`))
})

await t.test('something that is no engine is told from one', async (t) => {
  const server = createServer((_request, response) => { response.end('<html>hello</html>') }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await t.rejects(list(engineAt(t, { DOCKER_HOST: `tcp://127.0.0.1:${port}` })), { code: 'engine_unavailable', message: /no Docker engine/ })
})

await t.test('an engine over TCP', async (t) => {
  const server = createServer((request, response) => {
    response.writeHead(request.headers.host === `127.0.0.1:${port}` ? 200 : 400, { 'content-type': 'application/json' })
    response.end(request.url === '/version' ? JSON.stringify({ ApiVersion: '1.41' }) : '[]')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const engine = engineAt(t, { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_CERT_PATH: '/nowhere' })
  t.after(() => server.close())
  t.strictSame(await list(engine), [])
  t.match(engine.endpoint, { kind: 'tcp', host: '127.0.0.1', port })
})

await t.test('the environment of the process is never read behind our back', async (t) => {
  const before = process.env.DOCKER_HOST
  t.after(() => { if (before !== undefined) process.env.DOCKER_HOST = before })
  const chaos = await createVersionedEngine(t, '1.24', '1.41')
  process.env.DOCKER_HOST = '::not an address::'
  t.strictSame(await list(engineAt(t, { DOCKER_HOST: chaos.host })), [])
})

await t.test('an engine that goes away and comes back is found again without a word', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  t.type(await list(engine), Array)
  await chaos.stop()
  await t.rejects(list(engine), { code: 'engine_unavailable', message: /does not exist/ })
  await chaos.start()
  t.type(await list(engine), Array)
  t.equal(chaos.count('/version'), 2, 'and asked for its version again')
})

await t.test('an idle connection that the engine closed meanwhile fails no question', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  await Promise.all(Array.from({ length: 5 }, () => list(engine)))
  await chaos.stop()
  await chaos.start()
  t.type(await list(engine), Array)
})

await t.test('an engine that is cut off in the middle of an answer is told at once, not at the deadline', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  for (const fault of [{ kind: 'cut', afterBytes: 0 }, { kind: 'cut', afterBytes: 100 }, { kind: 'drop' }] as const) {
    chaos.rule('/info', fault)
    const info = engine.call('info', (docker) => docker.info(), { timeoutMs: 60_000 })
    await t.rejects(info, { code: 'engine_unavailable', message: /before the answer was complete/ })
  }
})

await t.test('an answer that comes a byte at a time is whole', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const expected = (await engine.call('version', (docker) => docker.version())).ApiVersion
  chaos.rule('/version', { kind: 'slice' })
  t.equal((await engine.call('version', (docker) => docker.version())).ApiVersion, expected)
})

await t.test('a caller that leaves frees the connection', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  await list(engine)
  chaos.rule('/containers/json', { kind: 'hang' })
  const leaving = new AbortController()
  const call = engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ abortSignal }), { signal: leaving.signal })
  const rejected = t.rejects(call, { code: 'client_gone' })
  await until(() => chaos.count('/containers/json') === 2)
  leaving.abort()
  await rejected
  await until(() => chaos.connections.open <= 2)
  t.pass('only idle connections are left')
})

await t.test('close ends calls and streams, and nothing is dialled after it', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  await list(engine)
  chaos.rule('/containers/json', { kind: 'hang' })
  const hung = t.rejects(list(engine), { code: 'shutting_down' })
  const stream = await engine.open('events', (docker, abortSignal) => docker.getEvents({ ...{ abortSignal } }))
  const ended = new Promise((resolve) => stream.once('close', resolve))
  await until(() => chaos.count('/containers/json') === 2)
  await engine.close()
  await engine.close()
  await hung
  await ended
  await t.rejects(list(engine), { code: 'shutting_down' })
  await until(() => chaos.connections.open === 0)
  t.pass('no connection is left')
})

await t.test('a refusal page of a socket proxy names the switch', async (t) => {
  const chaos = await createChaosSocket(t)
  const page = { kind: 'answer', status: 403, type: 'text/html', body: '<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>' } as const
  chaos.rule(/^(?!GET|HEAD)/, page)
  chaos.rule('/images/json', page)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  await list(engine)
  await t.rejects(engine.call('images.list', (docker, abortSignal) => docker.listImages({ abortSignal })), { code: 'feature_disabled', message: /IMAGES is off/ })
  await t.rejects(engine.call('containers.start', (docker, abortSignal) => docker.getContainer('x').start({ abortSignal })), { code: 'feature_disabled', message: /POST is off/, hint: /POST=1/ })
  const state = await engine.health()
  t.match(state, { ok: true, engine: { disabled: ['IMAGES', 'POST'] } })
})

await t.test('an engine that keeps even its version secret is reached through its ping', async (t) => {
  const chaos = await createChaosSocket(t)
  chaos.rule('/version', { kind: 'answer', status: 403, type: 'text/html', body: '<html>403</html>' })
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  t.type(await list(engine), Array)
  t.match(await engine.health(), { ok: true, engine: { disabled: ['VERSION'] } })
})
