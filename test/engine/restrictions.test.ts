import t from 'tap'
import type { TokenRequest } from '../../schemas/tokens.ts'
import { removeExpired } from '../../src/containers/lifetimes.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABELS } from '../support/engine.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t)
const SLEEP = { image, command: 'sleep 600', container_port: 80 }

function clientOf (request: Omit<TokenRequest, 'name'>, name = `t-${Math.random().toString(36).slice(2)}`) {
  const { token } = app.tokens.create({ name, ...request })
  return { ...createClient(url, { authorization: `Bearer ${token}` }), name }
}

function inspect (id: string) {
  return engine.call('test.inspect', (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal }))
}

const admin = clientOf({ scopes: ['admin'] })

t.test('what a narrowed token runs carries its labels, its name, and is seen by it; others with other labels see nothing', async (t) => {
  const blue = clientOf({ scopes: ['run', 'read'], labels: { tenant: 'blue' } })
  const red = clientOf({ scopes: ['run', 'read'], labels: { tenant: 'red' } })
  const made = await blue.run<{ id: string, name: string, labels: object }>(SLEEP)
  t.equal(made.status, 201)
  t.match(made.body.labels, { tenant: 'blue', 'dockapi.owner': blue.name, 'dockapi.managed': 'true' })
  t.equal((await blue.get(`/containers/${made.body.id}`)).status, 200)
  for (const reference of [made.body.id, made.body.id.slice(0, 12), made.body.name]) t.match(await red.get(`/containers/${reference}`), { status: 404, body: { code: 'container_not_found' } })
  t.same((await red.get('/containers')).body, [])
  const refused = await blue.post('/containers/run', { ...SLEEP, labels: { ...TEST_LABELS, tenant: 'red' } })
  t.match(refused, { status: 403, body: { code: 'token_restricted', detail: /tenant=blue/ } })
  t.equal((await red.post('/containers/run', { ...SLEEP, name: made.body.name, if_exists: 'replace', labels: TEST_LABELS })).status, 409, 'nor can it be replaced')
  t.equal((await inspect(made.body.id)).State.Running, true)
})

t.test('a taken name does not tell whose it is', async (t) => {
  const blue = clientOf({ scopes: ['run', 'read'], labels: { tenant: 'blue' } })
  const { id, name } = (await admin.run<{ id: string, name: string }>(SLEEP)).body
  const run = await blue.run({ ...SLEEP, name })
  t.match(run, { status: 409, body: { code: 'name_conflict' } })
  const own = (await blue.run<{ id: string }>(SLEEP)).body
  const rename = await blue.post(`/containers/${own.id}/rename`, { name })
  t.match(rename, { status: 409, body: { code: 'name_conflict' } })
  for (const { body } of [run, rename]) t.notMatch(JSON.stringify(body), id.slice(0, 12))
  t.match(JSON.stringify((await admin.run({ ...SLEEP, name })).body), id.slice(0, 12), 'who may see it is told')
})

t.test('two tokens that see different containers never share an address', async (t) => {
  const blue = clientOf({ scopes: ['run', 'read'], labels: { tenant: 'blue' } })
  const red = clientOf({ scopes: ['read'], labels: { tenant: 'red' } })
  const { body: { id } } = await blue.run<{ id: string }>({ image, command: 'httpd -f -p 80', container_port: 80, wait_ready: true })
  for (let round = 0; round < 3; round++) {
    t.equal((await blue.get(`/proxy/${id}`)).status, 200)
    t.match(await blue.call('GET', `/proxy/${id}/nothing`).catch(() => ({ status: 404 })), { status: 404 })
    t.match(await red.get(`/proxy/${id}/`), { status: 404, body: { code: 'container_not_found' } })
    t.match(await red.get(`/proxy/${id}`), { status: 404 })
  }
})

t.test('volumes of others and folders of the host cannot be mounted; a new volume is its own', async (t) => {
  const blue = clientOf({ scopes: ['run'], labels: { tenant: 'blue' } })
  const others = `others-${process.pid}`
  const own = `own-${process.pid}`
  await engine.call('test.volume', (docker, abortSignal) => docker.createVolume({ Name: others, Labels: { ...TEST_LABELS, tenant: 'red' }, abortSignal }))
  t.teardown(() => engine.call('test.remove', async (docker, abortSignal) => { await docker.getVolume(own).remove({ force: true, abortSignal }).catch(() => {}) }))
  t.match(await blue.run({ ...SLEEP, volumes: [`${others}:/data`] }), { status: 403, body: { code: 'token_restricted', detail: new RegExp(others) } })
  t.match(await blue.run({ ...SLEEP, volumes: ['/srv:/data'] }), { status: 403 })
  const first = await blue.run<{ id: string }>({ ...SLEEP, volumes: [`${own}:/data`] })
  t.equal(first.status, 201)
  const volume = await engine.call('test.volume', (docker, abortSignal) => docker.getVolume(own).inspect({ abortSignal }))
  t.match(volume.Labels, { tenant: 'blue' })
  t.equal((await blue.run({ ...SLEEP, volumes: [`${own}:/data`] })).status, 201, 'and can be mounted again')
  for (const { Id } of await engine.call('test.list', (docker, abortSignal) => docker.listContainers({ all: true, filters: { volume: [own] }, abortSignal }))) await admin.delete(`/containers/${Id}?force=true`)
})

t.test('images of other patterns cannot be run, pulled, seen, renamed or removed, whatever their spelling', async (t) => {
  const free = clientOf({ scopes: ['run', 'read', 'images'] })
  const bound = clientOf({ scopes: ['run', 'read', 'images'], images: ['allowed-*'] })
  const { Id: id } = await engine.call('test.image', (docker, abortSignal) => docker.getImage(image).inspect({ abortSignal } as object)) as { Id: string }
  await engine.call('test.tag', (docker, abortSignal) => docker.getImage(image).tag({ repo: `allowed-${process.pid}`, tag: '1', abortSignal }))
  t.teardown(() => engine.call('test.untag', async (docker, abortSignal) => { await docker.getImage(`allowed-${process.pid}:1`).remove({ abortSignal }).catch(() => {}) }))
  const allowed = `allowed-${process.pid}:1`

  t.equal((await bound.run({ ...SLEEP, image: allowed })).status, 201)
  for (const other of [image, id, id.slice(7), `docker.io/library/${image}`]) t.match(await bound.run({ ...SLEEP, image: other }), { status: 403, body: { code: 'token_restricted' } }, other)
  t.match(await bound.post('/images/pull', { image: 'evil.test/allowed-x' }), { status: 403, body: { code: 'token_restricted' } })
  t.match(await bound.get(`/images/inspect?image=${image}`), { status: 404, body: { code: 'no_such_image' } })
  t.match(await bound.get(`/images/history?image=${id.slice(7, 19)}`), { status: 404 }, 'the beginning of an id')
  t.match((await bound.get(`/images/inspect?image=${allowed}`)).body, { id, repo_tags: [allowed] })
  t.same((await bound.get<Array<{ repo_tags: string[] }>>('/images')).body.flatMap(({ repo_tags: names }) => names), [allowed])
  t.ok((await free.get<unknown[]>('/images')).body.length > 0)
  t.match(await bound.post('/images/tag', { image, name: 'allowed-stolen' }), { status: 404 })
  t.match(await bound.post('/images/tag', { image: allowed, name: 'other' }), { status: 403 })
  t.match(await bound.delete(`/images?image=${id}&force=true`), { status: 404 }, 'by id it would lose names that are not the token\'s')
  t.match(await bound.post('/images/prune', {}), { status: 403 })
  t.match(await bound.post('/images/build', { dockerfile: `FROM ${image}`, name: 'allowed-built' }), { status: 403 })
})

t.test('limits: memory and CPU of each container, how many there may be, also when many are asked for at once', async (t) => {
  const small = clientOf({ scopes: ['run', 'read'], limits: { containers: 2, memory: '64m', cpus: 0.5 } })
  const made = await small.run<{ id: string }>(SLEEP)
  t.equal(made.status, 201)
  const { HostConfig } = await inspect(made.body.id)
  t.match(HostConfig, { Memory: 64 * 1024 ** 2, NanoCpus: 5e8 }, 'the default is never more than the limit')
  for (const more of [{ memory: '65m' }, { cpus: 0.6 }]) {
    t.match(await small.run({ ...SLEEP, ...more }), { status: 403, body: { code: 'token_restricted' } })
    t.match(await small.patch(`/containers/${made.body.id}`, more), { status: 403, body: { code: 'token_restricted' } })
  }
  t.equal((await small.patch(`/containers/${made.body.id}`, { memory: '32m' })).status, 200)
  const statuses = (await Promise.all(Array.from({ length: 6 }, () => small.run(SLEEP)))).map(({ status }) => status)
  t.same(statuses.sort(), [201, 403, 403, 403, 403, 403])
  await small.delete(`/containers/${made.body.id}?force=true`)
  t.equal((await small.run(SLEEP)).status, 201, 'one that is gone gives its place back')
})

t.test('S28: a lifetime ends with the removal of this very container, also when the server was down meanwhile', async (t) => {
  const brief = clientOf({ scopes: ['run', 'read'], limits: { lifetime: '1h' } })
  const [first, second] = [await brief.run<{ id: string, name: string, labels: Record<string, string> }>(SLEEP), await admin.run<{ id: string }>(SLEEP)]
  const expiresAt = Date.parse(first.body.labels['dockapi.expires_at']!)
  t.ok(Math.abs(expiresAt - Date.now() - 3_600_000) < 60_000)
  const sweep = (nowMs: number) => removeExpired(app.containers, { end: (_id, remove) => remove(), onEnd () {}, signal: AbortSignal.timeout(60_000) }, nowMs)
  const ours = async () => (await admin.get<Array<{ id: string }>>('/containers')).body.map(({ id }) => id)
  await sweep(expiresAt - 1)
  t.ok((await ours()).includes(first.body.id))
  await Promise.all([sweep(expiresAt), sweep(expiresAt)])
  t.notOk((await ours()).includes(first.body.id))
  t.ok((await ours()).includes(second.body.id), 'what has no lifetime stays')
  const namesake = await admin.run<{ id: string }>({ ...SLEEP, name: first.body.name })
  await sweep(expiresAt + 1)
  t.ok((await ours()).includes(namesake.body.id), 'a namesake stays')
})

t.test('S28: an end in the middle of a command and of a request, and a clock that jumps: one removal, and both are answered', async (t) => {
  const brief = clientOf({ scopes: ['run', 'read', 'exec'], limits: { lifetime: '1h' } })
  const { id, labels } = (await brief.run<{ id: string, labels: Record<string, string> }>({ image, command: ['nc', '-ll', '-p', '80', '-e', 'sleep', '600'], container_port: 80 })).body
  const endsAt = Date.parse(labels['dockapi.expires_at']!)
  const command = brief.post(`/containers/${id}/exec`, { command: ['sleep', '600'] })
  const request = brief.get(`/proxy/${id}/`)
  await until(async () => (await brief.get<unknown[]>(`/containers/${id}/execs`)).body.length === 1)
  const ended: string[] = []
  const sweep = (nowMs: number) => removeExpired(app.containers, { end: (_id, remove) => remove(), onEnd: (container, error) => { if (container.Id === id) ended.push(String(error)) }, signal: AbortSignal.timeout(60_000) }, nowMs)
  await sweep(endsAt - 3_600_000)
  t.same(ended, [])
  await Promise.all([sweep(endsAt + 3_600_000), sweep(endsAt)])
  await sweep(endsAt - 3_600_000)
  t.same(ended, ['undefined'])
  t.match(await command, { status: 200, body: { exit_code: 137 } })
  t.match(await request, { status: 502, body: { code: 'upstream_failed' } })
  t.equal((await brief.get(`/containers/${id}`)).status, 410)
})

t.test('the server itself removes what is over', async (t) => {
  const brief = clientOf({ scopes: ['run', 'read'], limits: { lifetime: '1s' } })
  const { id } = (await brief.run<{ id: string }>(SLEEP)).body
  let status = 200
  for (const deadline = Date.now() + 30_000; status === 200 && Date.now() < deadline;) status = (await admin.get(`/containers/${id}`)).status
  t.equal(status, 410)
})

t.test('commands are judged by their words, however they are written', async (t) => {
  const { id } = await startTestContainer(engine, { image, command: ['sleep', '600'], labels: { 'dockapi.managed': 'true' } })
  const bound = clientOf({ scopes: ['exec'], commands: ['echo hello', 'ls'] })
  const exec = (body: object) => bound.post(`/containers/${id}/exec`, body)
  for (const command of ['echo hello', 'echo "hello" world', ['echo', 'hello', ';', 'id'], 'ls -l /', ['ls']]) t.equal((await exec({ command })).status, 200, JSON.stringify(command))
  for (const command of ['echo', 'echo bye', 'id', 'echo hello2', ['echo hello'], ['sh', '-c', 'ls'], 'l\\s2', '/bin/ls', ['', 'ls'], 'LS']) {
    t.match(await exec({ command }), { status: 403, body: { code: 'token_restricted', detail: /"echo hello", "ls"/ } }, JSON.stringify(command))
  }
  for (const more of [{ env: { PATH: '/tmp' } }, { user: '0' }, { workdir: '/tmp' }]) t.match(await exec({ command: 'ls', ...more }), { status: 403 }, JSON.stringify(more))
})

t.test('routes of the gateway are shown as far as the containers behind them', async (t) => {
  const { app: routed, url: base } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_EXPOSE: 'all' })
  const outside = await startTestContainer(engine, { image, command: ['sleep', '600'], labels: { tenant: 'blue' } })
  const tokens = { admin: { scopes: ['admin' as const] }, reader: { scopes: ['read' as const] }, blue: { scopes: ['read' as const], labels: { tenant: 'blue' } }, red: { scopes: ['read' as const], labels: { tenant: 'red' } } }
  const inside = await startTestContainer(engine, { image, command: ['sleep', '600'], labels: { tenant: 'blue', 'dockapi.managed': 'true' } })
  const seen: Record<string, string> = {}
  for (const [name, request] of Object.entries(tokens)) {
    const client = createClient(base, { authorization: `Bearer ${routed.tokens.create({ name, ...request }).token}` })
    await client.get('/containers')
    if (name === 'admin') while (!JSON.stringify((await client.get('/routes')).body).includes(inside.id));
    seen[name] = JSON.stringify((await client.get('/routes')).body)
  }
  for (const [name, sees] of [['admin', [true, true]], ['reader', [false, true]], ['blue', [false, true]], ['red', [false, false]]] as const) {
    t.same([seen[name]!.includes(outside.id), seen[name]!.includes(inside.id)], sees, name)
  }
})

t.end()
