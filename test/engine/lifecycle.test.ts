import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { ContainerInfo, RunResult } from '../../schemas/containers.ts'
import type { Problem } from '../../schemas/problem.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABEL, TEST_RUN } from '../support/engine.ts'

/** Ends at once when asked: busybox's httpd as process 1 would ignore SIGTERM. */
const SERVE = ['sh', '-c', 'trap "exit 0" TERM; httpd -p 80; while :; do sleep 0.1; done']

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)

async function run (body: Record<string, unknown> = {}) {
  return (await api.run<RunResult>({ image, container_port: 80, command: SERVE, ...body })).body
}

t.test('stop and start are idempotent, and start tells the port of now', async (t) => {
  const { id } = await run()
  for (const round of ['first', 'again']) t.match(await api.post(`/containers/${id}/stop`), { status: 200, body: { id, status: 'stopped', exit_code: 0, host_port: null } }, round)
  for (const round of ['first', 'again']) {
    const { status, body } = await api.post<ContainerInfo>(`/containers/${id}/start?wait_ready=true`)
    t.match({ status, body }, { status: 200, body: { id, status: 'running' } }, round)
    t.equal((await fetch(body.urls.direct!)).status, 404, 'the application answers at the port that was told')
  }
})

t.test('stop needs no body, whatever content type a client sends', async (t) => {
  const { id } = await run()
  for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
    const answer = await fetch(`${url}/containers/${id}/stop`, { method: 'POST', headers: { 'content-type': type }, body: '' })
    t.equal(answer.status, 200, type)
  }
})

t.test('restart, pause, unpause, kill', async (t) => {
  const { id, started_at: startedAt } = await run()
  const restarted = await api.post<ContainerInfo>(`/containers/${id}/restart`)
  t.equal(restarted.status, 200)
  t.not(restarted.body.started_at, startedAt)
  t.match(await api.post(`/containers/${id}/pause`), { status: 200, body: { status: 'paused' } })
  t.match(await api.post(`/containers/${id}/pause`), { status: 409, body: { code: 'container_paused' } })
  t.match(await api.post(`/containers/${id}/start`), { status: 409, body: { code: 'container_paused' } })
  t.match(await api.post(`/containers/${id}/exec`, { command: 'true' }), { status: 409, body: { code: 'container_paused' } })
  t.match(await api.get(`/proxy/${id}`), { status: 409, body: { code: 'container_not_running' } })
  t.match(await api.post(`/containers/${id}/unpause`), { status: 200, body: { status: 'running' } })
  t.match(await api.post(`/containers/${id}/kill?signal=SIGNOPE`), { status: 400 })
  t.equal((await api.post(`/containers/${id}/kill`)).status, 200)
  t.match(await api.post(`/containers/${id}/wait`), { status: 200, body: { exit_code: 137 } })
  t.match(await api.post(`/containers/${id}/kill`), { status: 409, body: { code: 'container_not_running' } })
})

t.test('rename frees the old name and refuses a taken one', async (t) => {
  const [first, second] = [await run(), await run()]
  const name = `renamed-${randomUUID().slice(0, 8)}`
  t.match(await api.post(`/containers/${first.id}/rename`, { name }), { status: 200, body: { name } })
  t.equal((await api.get(`/containers/${first.name}`)).status, 404)
  t.match(await api.post(`/containers/${second.id}/rename`, { name }), { status: 409, body: { code: 'name_conflict' } })
  t.match(await api.post(`/containers/${second.id}/rename`, { name: 'a/b' }), { status: 400, body: { errors: [{ pointer: '/name' }] } })
})

t.test('update changes limits and restart policy', async (t) => {
  const { id } = await run()
  t.equal((await api.patch(`/containers/${id}`, { memory: '64m', cpus: 0.5, pids: 50, restart_policy: 'always' })).status, 200)
  const { body: { raw } } = await api.get<{ raw: { HostConfig: object } }>(`/containers/${id}?raw=true`)
  t.match(raw.HostConfig, { Memory: 64 * 1024 ** 2, NanoCpus: 5e8, PidsLimit: 50, RestartPolicy: { Name: 'always' } })
  t.equal((await api.patch(`/containers/${id}`, {})).status, 400)
  t.equal((await api.patch(`/containers/${id}`, { memory: '1k' })).status, 400)
})

t.test('remove refuses a running container unless forced', async (t) => {
  const { id } = await run()
  t.match(await api.delete(`/containers/${id}`), { status: 409, body: { code: 'container_running' } })
  t.match(await api.delete(`/containers/${id}?force=true`), { status: 200, body: { id, removed: true } })
  t.match(await api.delete(`/containers/${id}`), { status: 404, body: { code: 'container_not_found' } })
})

t.test('wait answers at the end, and 504 before it', async (t) => {
  const { id } = await run({ command: ['sh', '-c', 'sleep 1; exit 4'] })
  t.match(await api.post(`/containers/${id}/wait?timeout=0.1`), { status: 504, body: { code: 'still_running' } })
  t.match(await api.post(`/containers/${id}/wait`), { status: 200, body: { id, exit_code: 4 } })
})

t.test('secrets of the environment are not shown', async (t) => {
  const { id } = await run({ env: { PASSWORD: 'canary-7f3a' } })
  const answer = await fetch(`${url}/containers/${id}?raw=true`)
  const text = await answer.text()
  t.notMatch(text, /canary-7f3a/)
  t.match(text, /PASSWORD=\[redacted\]/)
})

t.test('S16: what is out of scope does not exist, on any route', async (t) => {
  const stranger = await startTestContainer(engine, { image, command: ['sleep', '300'], name: `stranger-${randomUUID().slice(0, 8)}`, port: 80 })
  const invited = await startTestContainer(engine, { image, command: ['sleep', '300'], labels: { 'dockapi.enable': 'true' } })
  t.equal((await api.get(`/containers/${invited.id}`)).status, 200)
  const listed = (await api.get<ContainerInfo[]>('/containers')).body.map(({ id }) => id)
  t.ok(listed.includes(invited.id))
  t.notOk(listed.includes(stranger.id))
  const routes: Array<['GET' | 'POST' | 'DELETE' | 'PATCH', string, unknown?]> = [
    ['GET', ''], ['DELETE', '?force=true'], ['PATCH', '', { cpus: 1 }], ['POST', '/start'], ['POST', '/stop'], ['POST', '/restart'], ['POST', '/kill'],
    ['POST', '/pause'], ['POST', '/unpause'], ['POST', '/rename', { name: 'taken-over' }], ['POST', '/wait'], ['GET', '/logs'], ['POST', '/exec', { command: 'true' }]
  ]
  for (const reference of [stranger.id, stranger.id.slice(0, 12)]) {
    for (const [method, path, body] of routes) {
      t.match(await api.call(method, `/containers/${reference}${path}`, body), { status: 404, body: { code: 'container_not_found' } }, `${method} ${path}`)
    }
    t.equal((await api.get(`/proxy/${reference}`)).status, 404)
    t.equal((await api.get(`/proxy/${reference}/`)).status, 404)
  }
  const all = await listenTestApp(t, { DOCKAPI_SCOPE: 'all' })
  t.equal((await createClient(all.url).get(`/containers/${stranger.id}`)).status, 200)
})

t.test('S18: a name that looks like the beginning of another\'s id is a name', async (t) => {
  const victim = await startTestContainer(engine, { image, command: ['true'], labels: { 'dockapi.enable': 'true' } })
  const namesake = await startTestContainer(engine, { image, command: ['true'], name: victim.id.slice(0, 12), labels: { 'dockapi.enable': 'true' } })
  t.match(await api.get(`/containers/${victim.id.slice(0, 12)}`), { body: { id: namesake.id } })
  t.match(await api.get(`/containers/${victim.id.slice(0, 13)}`), { body: { id: victim.id } })
  t.match(await api.delete(`/containers/${victim.id.slice(0, 12)}?force=true`), { status: 200 })
  t.match(await api.get(`/containers/${victim.id}`), { status: 200 })
})

t.test('S18: an ambiguous prefix is refused, a unique one found', async (t) => {
  const ids: string[] = []
  const twins = () => ids.flatMap((id) => ids.filter((other) => other !== id && other[0] === id[0]))
  while (twins().length === 0) ids.push((await startTestContainer(engine, { image, command: ['true'], labels: { 'dockapi.enable': 'true' } })).id)
  const [twin] = twins()
  const { status, body } = await api.get<Problem & { candidates: unknown[] }>(`/containers/${twin![0]}`)
  t.equal(status, 409)
  t.equal(body.code, 'ambiguous_id')
  t.ok(body.candidates.length >= 2)
  t.match(await api.get(`/containers/${twin!.slice(0, 16)}`), { status: 200, body: { id: twin } })
})

t.test('lists are filtered and paged, each container once', async (t) => {
  const names: string[] = []
  for (let index = 0; index < 5; index++) names.push((await run({ labels: { page: TEST_RUN }, command: ['sleep', '300'] })).name)
  const seen: string[] = []
  let next: string | undefined = `/containers?label=page%3D${TEST_RUN}&limit=2`
  while (next !== undefined) {
    const { headers, body }: { headers: Headers, body: ContainerInfo[] } = await api.get<ContainerInfo[]>(next)
    seen.push(...body.map(({ name }) => name))
    next = /<[^>]*\/\/[^/]+([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
  }
  t.same(seen.sort(), names.sort())
  const only = (query: string) => api.get<ContainerInfo[]>(`/containers?label=${TEST_LABEL}%3D${TEST_RUN}&${query}`).then(({ body }) => body)
  t.equal((await only(`name=${names[0]}`)).length, 1)
  t.ok((await only('status=exited')).every(({ status }) => status === 'exited'))
  t.ok((await only(`image=${image.split(':')[0]}`)).length >= 5)
  t.equal((await only('image=nothing')).length, 0)
  t.equal((await api.get('/containers?cursor=nonsense')).status, 400)
  t.equal((await api.get('/containers?limit=0')).status, 400)
})

t.test('a list tells the same as an inspect, but for the start', async (t) => {
  const { id } = await run()
  const { body: detail } = await api.get<ContainerInfo>(`/containers/${id}`)
  const listed = (await api.get<ContainerInfo[]>(`/containers?label=${TEST_LABEL}%3D${TEST_RUN}`)).body.find((info) => info.id === id)!
  t.same({ ...listed, started_at: null, created_at: null }, { ...detail, started_at: null, created_at: null })
})

t.end()
