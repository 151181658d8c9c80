import { readFile } from 'node:fs/promises'
import t from 'tap'
import type { Health } from '../../schemas/health.ts'
import type { Problem } from '../../schemas/problem.ts'
import { createClient } from '../support/api.ts'
import type { Answer } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABELS, TEST_RUN } from '../support/engine.ts'
import { SKIP_HAPROXY } from '../support/haproxy-image.ts'
import { createSocketProxy } from '../support/socket-proxy.ts'
import { until } from '../support/until.ts'

if (SKIP_HAPROXY !== false) {
  t.plan(0, SKIP_HAPROXY)
  process.exit()
}

type Row = { feature: string, call: string, switches: string[] }

const NETWORK = `sets-${process.pid}`
const engine = createTestEngine(t)
const base = await busyboxImage(engine)
const [repository, tag] = base.split(':') as [string, string]
await engine.call('network', (docker) => docker.createNetwork({ Name: NETWORK, Labels: TEST_LABELS }))

const serve = { image: base, command: ['httpd', '-f', '-p', '80'], labels: { 'dockapi.enable': 'true' }, port: 80 }
const { id } = await startTestContainer(engine, serve)
const { id: connected } = await startTestContainer(engine, serve)
await engine.call('connect', (docker) => docker.getNetwork(NETWORK).connect({ Container: connected }))
const { id: launchable } = await startTestContainer(engine, serve)
const launched = `dockapi-test-launched:${TEST_RUN}`
await engine.call('commit', (docker) => docker.getContainer(launchable).commit({ repo: launched.split(':')[0], tag: TEST_RUN }))

let replicas = 1

const proxy = await createSocketProxy(t, engine)
const { url } = await listenTestApp(t, { DOCKER_HOST: proxy.host })
const api = createClient(url)

/** A request for each call that the table names. */
const TRIES: Record<string, () => Promise<Answer>> = {
  'GET /containers': () => api.get('/containers'),
  'GET /containers/{id}/logs': () => open(`/containers/${id}/logs`),
  'GET /containers/{id}/stats': () => api.get(`/containers/${id}/stats`),
  'GET /containers/{id}/files': () => open(`/containers/${id}/files?path=/etc/passwd`),
  'GET /proxy/{id}': () => api.get(`/proxy/${id}`),
  'GET /events': () => open('/events'),
  'POST /containers/{id}/restart': () => api.post(`/containers/${id}/restart?timeout=0`),
  async 'DELETE /containers/{id}' () {
    const { id } = await startTestContainer(engine, serve)
    return await api.delete(`/containers/${id}?force=true`)
  },
  'POST /containers/run': () => api.run({ image: base, container_port: 80, command: ['httpd', '-f', '-p', '80'] }),
  'POST /containers': () => api.post('/containers', { image: launched.split(':')[0], tag: TEST_RUN }),
  'PUT /containers/{id}/replicas': () => api.call('PUT', `/containers/${connected}/replicas`, { replicas: ++replicas }),
  'POST /containers/{id}/exec': () => api.post(`/containers/${id}/exec`, { command: ['true'] }),
  'GET /images': () => api.get('/images'),
  'POST /images/tag': () => api.post('/images/tag', { image: launched, name: `dockapi-test-tagged:${TEST_RUN}` }),
  'POST /images/prune': () => api.post('/images/prune', { dry_run: true }),
  'POST /images/build': () => api.post('/images/build', { dockerfile: `FROM ${repository}:${tag}\n`, name: `dockapi-test-built:${TEST_RUN}`, labels: TEST_LABELS })
}

const rows = readRows(await readFile(new URL('../../docs/deployment.md', import.meta.url), 'utf8'))

t.test('the table names every call that is tried here, and no other', async (t) => {
  t.same(rows.map(({ call }) => call).sort(), Object.keys(TRIES).sort())
})

for (const { feature, call, switches } of rows) {
  t.test(`${feature}: ${switches.join(', ')}`, async (t) => {
    await setSwitches(['PING', 'VERSION', ...switches])
    const { status, body } = await TRIES[call]!()
    t.ok(status >= 200 && status < 300, `${call}: ${status} ${JSON.stringify(body)}`)
    for (const missing of switches) {
      await setSwitches(['PING', 'VERSION', ...switches.filter((name) => name !== missing)])
      const answer = await TRIES[call]!() as Answer<Problem & { switches: string[] }>
      t.match(answer, { status: 403, body: { code: 'feature_disabled', hint: new RegExp(`\\b${missing}=1`) } }, `without ${missing}`)
      t.ok(answer.body.switches?.includes(missing), `without ${missing}: ${JSON.stringify(answer.body.switches)}`)
    }
  })
}

for (const [name, other] of [['PING', 'VERSION'], ['VERSION', 'PING']] as const) {
  t.test(`${name} alone tells that there is an engine`, async (t) => {
    await setSwitches([name, 'CONTAINERS'])
    const { status, body } = await api.get<Health>('/healthz')
    t.equal(status, 200, JSON.stringify(body))
    t.match(body, { ok: true, engine: { disabled: ['EVENTS', 'EXEC', 'IMAGES', 'INFO', 'NETWORKS', other, 'POST', 'VOLUMES'].sort() } })
  })
}

t.test('with neither of them /healthz says what to set', async (t) => {
  await setSwitches(['CONTAINERS'])
  t.match(await api.get('/healthz'), { status: 503, body: { ok: false, engine: { error: /socket proxy/, hint: /PING=1/ } } })
})

t.test('INFO shows the machine\'s name', async (t) => {
  await setSwitches(['PING', 'INFO'])
  t.match(await api.get('/healthz'), { status: 200, body: { engine: { name: /./ } } })
})

/** Starts the socket proxy anew; dockAPI has noticed that it was away. */
async function setSwitches (switches: readonly string[]): Promise<void> {
  await proxy.stop()
  await until(async () => (await api.get('/healthz')).status === 503)
  await proxy.start(switches)
}

/** For an answer that is no JSON when all is well, or has no end: then its body is left. */
async function open (path: string): Promise<Answer> {
  const abort = new AbortController()
  const response = await fetch(url + path, { signal: abort.signal })
  const body = response.ok ? {} : await response.json() as Answer['body']
  abort.abort()
  return { status: response.status, headers: response.headers, body }
}

/** The lines of the table, each `| feature | call | switches |`. */
function readRows (document: string): Row[] {
  return [...document.matchAll(/^\| ([^|]+) \| `([A-Z]+ [^`]+)` \| ((?:`[A-Z]+` ?)+) \|$/gm)].map(([, feature, call, switches]) => ({ feature: feature!, call: call!, switches: switches!.match(/[A-Z]+/g)! }))
}

t.end()
