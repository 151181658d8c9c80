import t from 'tap'
import type { Test } from 'tap'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { openSocket } from '../support/socket-client.ts'

type Refusal = { code: string, hint: string, denials: Array<{ rule: string, setting: string }> }

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { Id: imageId } = await engine.call('test.image', (docker) => docker.getImage(image).inspect())
const SLEEP = { image, command: 'sleep 600', container_port: 80 }

/** A server with these settings, and a client of it. */
async function serve (t: Test, env: Record<string, string>) {
  const chaos = await createChaosSocket(t)
  const { url } = await listenTestApp(t, { DOCKER_HOST: chaos.host, ...env })
  return { ...createClient(url), url, chaos }
}

function refusedBy (setting: string) {
  return { status: 403, body: { code: 'policy_denied', hint: new RegExp(setting), denials: [{ rule: 'Image', setting }] } }
}

for (const [setting, value] of [['DOCKAPI_IMAGES_ALLOW', 'other,allowed-*'], ['DOCKAPI_IMAGES_DENY', 'dockapi-base-*'], ['DOCKAPI_REGISTRIES', 'ghcr.io']] as const) {
  t.test(`${setting}: no door brings or uses an image that it forbids`, async (t) => {
    const original = await startTestContainer(engine, { image, command: ['sleep', '600'], labels: { 'dockapi.enable': 'true' } })
    const { chaos, url, ...api } = await serve(t, { [setting]: value })
    for (const name of [image, `docker.io/library/${image}`, imageId, imageId.slice(7)]) {
      t.match(await api.post('/containers/run', { ...SLEEP, image: name }), refusedBy(setting), name)
      t.match(await api.post('/containers', { image: name }), refusedBy(setting))
      t.match(await api.post('/api/containers', { image: name }), refusedBy(setting))
      t.match((await api.post('/policy/check', { ...SLEEP, image: name })).body, { allowed: false, denials: [{ rule: 'Image', setting }] })
      t.match(await api.post('/images/tag', { image: name, name: 'ghcr.io/allowed-x' }), setting === 'DOCKAPI_IMAGES_ALLOW' ? { status: 403 } : refusedBy(setting))
    }
    t.match(await api.call('PUT', `/containers/${original.id}/replicas`, { replicas: 2 }), refusedBy(setting))
    t.match(await api.post('/images/pull', { image }), refusedBy(setting))
    const streamed = await fetch(`${url}/images/pull`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' }, body: JSON.stringify({ image }) })
    t.equal(streamed.status, 403, 'before the stream begins')
    await streamed.body?.cancel()
    await t.rejects(openSocket(t, `${url}/images/pull?image=${image}`), /403/)
    t.match(await api.post('/images/build', { dockerfile: `FROM ${image}`, name: 'allowed-built' }), refusedBy(setting))
    t.match(await (await fetch(`${url}/images/load`, { method: 'POST', headers: { 'content-type': 'application/x-tar' }, body: 'x' })).json(), refusedBy(setting).body)
    for (const call of ['POST /containers/create', 'POST /images/create', 'POST /build', 'POST /images/load', `POST /images/${imageId}/tag`]) t.equal(chaos.count(call), 0, call)
  })
}

t.test('S29: images that are allowed run as ever; addresses at which clouds keep credentials are no registries', async (t) => {
  const { chaos, ...api } = await serve(t, { DOCKAPI_IMAGES_ALLOW: 'dockapi-base-*', DOCKAPI_IMAGES_DENY: 'evil.test/**', DOCKAPI_REGISTRIES: 'docker.io' })
  t.equal((await api.run(SLEEP)).status, 201)
  t.equal((await api.run({ ...SLEEP, image: `docker.io/library/${image}` })).status, 201)
  t.match(await api.post('/images/tag', { image: imageId.slice(7, 19), name: 'dockapi-base-stolen' }), { status: 403 }, 'the beginning of an id is no name')
  t.match(await api.post('/images/pull', { image: 'evil.test/x' }), { status: 403 })
  for (const name of ['169.254.169.254/latest', '169.254.169.254:80/x:1', '[fd00:ec2::254]:80/x']) {
    t.match(await api.post('/images/pull', { image: name }), { status: 403, body: { code: 'policy_denied', hint: /policy\/check/ } }, name)
    t.match(await api.run({ image: name, container_port: 80 }), { status: 403 }, name)
  }
  t.equal(chaos.count('POST /images/create'), 0)
})

const limited = await serve(t, { DOCKAPI_MAX_MEMORY: '64m', DOCKAPI_MAX_CPUS: '0.5', DOCKAPI_MAX_PIDS: '50', DOCKAPI_MAX_CONTAINERS: '5000', DOCKAPI_HOST_PORTS: '47001-47010,80', DOCKAPI_PORT: '47001', DOCKAPI_CAP_DROP: 'ALL' })

t.test('limits hold when a container is made, changed and copied, and the default fits them', async (t) => {
  const api = limited
  const { status, body: { id } } = await api.run<{ id: string }>(SLEEP)
  t.equal(status, 201)
  const { HostConfig } = await engine.call('test.inspect', (docker) => docker.getContainer(id).inspect())
  t.match(HostConfig, { Memory: 64 * 1024 ** 2, MemorySwap: 64 * 1024 ** 2, NanoCpus: 5e8, PidsLimit: 50 })
  for (const [more, setting] of [[{ memory: '65m' }, 'DOCKAPI_MAX_MEMORY'], [{ cpus: 0.6 }, 'DOCKAPI_MAX_CPUS'], [{ pids: 51 }, 'DOCKAPI_MAX_PIDS']] as const) {
    t.match(await api.run<Refusal>({ ...SLEEP, ...more }), { status: 403, body: { code: 'policy_denied', hint: new RegExp(setting) } }, setting)
    t.match(await api.patch<Refusal>(`/containers/${id}`, more), { status: 403, body: { code: 'policy_denied', hint: new RegExp(setting) } }, setting)
  }
  t.equal((await api.patch(`/containers/${id}`, { memory: '32m', pids: 20, restart_policy: 'always' })).status, 200)
  const unlimited = await startTestContainer(engine, { image, command: ['sleep', '600'], labels: { 'dockapi.enable': 'true' } })
  t.match(await api.call('PUT', `/containers/${unlimited.id}/replicas`, { replicas: 2 }), { status: 403, body: { code: 'policy_denied' } }, 'no limit is more than any')
})

t.test('no more containers than there may be', async (t) => {
  const { chaos, ...api } = limited
  const created = chaos.count('POST /containers/create')
  // Other tests make and remove containers of their own meanwhile: how many there are is told here.
  const there = (count: number) => { chaos.rule('GET /containers/json', { kind: 'answer', status: 200, body: JSON.stringify(Array.from({ length: count }, () => ({ Id: 'x', Labels: {} }))) }) }
  there(5000)
  for (const [method, path, body] of [['POST', '/containers/run', SLEEP], ['POST', '/containers', { image: 'registry.invalid/x' }], ['POST', '/api/containers', { image: 'registry.invalid/x' }]] as const) {
    t.match(await api.call<Refusal>(method, path, body), { status: 403, body: { code: 'policy_denied', hint: /DOCKAPI_MAX_CONTAINERS/, denials: [{ rule: 'Containers' }] } }, path)
  }
  t.match((await api.post('/policy/check', SLEEP)).body, { allowed: false, denials: [{ rule: 'Containers' }] })
  t.equal(chaos.count('POST /containers/create'), created)
  there(4999)
  t.match((await api.post('/policy/check', SLEEP)).body, { allowed: true }, 'and a check takes no place')
  t.equal((await api.run(SLEEP)).status, 201)
  chaos.clear()
})

t.test('S26: ports of the host: those that are allowed, and never dockAPI\'s own', async (t) => {
  const api = limited
  for (const port of [47001, 47011, 8081]) t.match(await api.run({ ...SLEEP, host_port: port }), { status: 403, body: { denials: [{ rule: 'PortBindings' }] } }, String(port))
  t.match(await api.run({ ...SLEEP, ports: [{ container_port: 81, host_port: 8081 }] }), { status: 403 })
  t.match(await api.post('/api/containers', { image, ports: ['8081:80'] }), { status: 403 })
  t.equal((await api.run({ ...SLEEP, host_port: 47010 })).status, 201)
})

t.test('capabilities: all of them can be dropped', async (t) => {
  const { body } = await limited.run<{ stdout: string }>({ image, command: ['grep', 'CapBnd', '/proc/self/status'], container_port: 80, detach: false })
  t.equal(body.stdout, 'CapBnd:\t0000000000000000\n')
})

t.end()
