import t from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import type { Stats } from '../../schemas/stats.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { openStream } from '../support/stream-client.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)

async function run (script: string, body: Record<string, unknown> = {}) {
  return (await api.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', script], ...body })).body
}

t.test('one look at a container that works', async (t) => {
  const { id, name } = await run('while :; do :; done', { memory: '64m', cpus: 0.5 })
  const { status, body } = await api.get<Stats>(`/containers/${id}/stats`)
  t.equal(status, 200)
  t.match(body, { container_id: id, name, time: /^\d{4}-/, memory: { limit: 64 * 1024 ** 2 }, network: { received: Number, sent: Number }, block_io: { read: Number, written: Number } })
  t.ok(body.cpu.percent > 0 && body.cpu.percent < 100 * body.cpu.online_cpus)
  t.ok(body.memory.used > 0 && body.memory.used < 64 * 1024 ** 2)
  t.ok(body.pids >= 1)
})

t.test('once a second, until the container ends', async (t) => {
  const { id } = await run('sleep 300')
  const stream = await openStream(t, `${url}/containers/${id}/stats`, { form: 'sse' })
  t.match(await stream.next(), { event: 'stats', data: { container_id: id, cpu: { percent: Number } } })
  await api.post(`/containers/${id}/kill`)
  t.match((await stream.rest()).at(-1), { event: 'end', data: { reason: 'container_ended' } })
})

t.test('all that run and are in scope', async (t) => {
  const [one, two, ended] = await Promise.all([run('sleep 300'), run('sleep 300'), run('true')])
  const foreign = await startTestContainer(engine, { image, command: ['sleep', '300'] })
  await api.post(`/containers/${ended.id}/wait`)
  const { status, body } = await api.get<Stats[]>('/stats')
  t.equal(status, 200)
  const ids = body.map((stats) => stats.container_id)
  t.ok(ids.includes(one.id) && ids.includes(two.id))
  t.notOk(ids.includes(ended.id) || ids.includes(foreign.id))
})

t.test('what ends as it is looked at is left out: the engine answers nothing then', async (t) => {
  const { id } = await run('sleep 300')
  const chaos = await createChaosSocket(t)
  chaos.rule(`/containers/${id}/stats`, { kind: 'answer', status: 200, body: '' })
  const { url } = await listenTestApp(t, { DOCKER_HOST: chaos.host })
  const client = createClient(url)
  const { status, body } = await client.get<Stats[]>('/stats')
  t.equal(status, 200)
  t.notOk(body.some((stats) => stats.container_id === id))
  t.match(await client.get(`/containers/${id}/stats`), { status: 409, body: { code: 'container_not_running' } })
})

t.test('processes and changed files', async (t) => {
  const { id } = await run('echo x > /new-file; rm /bin/wget; sleep 300')
  const top = await api.get<{ titles: string[], processes: string[][] }>(`/containers/${id}/top`)
  t.ok(top.body.titles.includes('PID'))
  t.ok(top.body.processes.some((row) => row.length === top.body.titles.length && row.at(-1)!.includes('sleep 300')))
  const changes = await api.get<Array<{ path: string, kind: string }>>(`/containers/${id}/changes`)
  t.match(changes.body.filter(({ path }) => path === '/new-file' || path === '/bin/wget').sort((a, b) => a.path.localeCompare(b.path)), [{ path: '/bin/wget', kind: 'deleted' }, { path: '/new-file', kind: 'added' }])
})

t.test('what does not run uses nothing; what is not there is not found', async (t) => {
  const { id } = await run('true')
  await api.post(`/containers/${id}/wait`)
  t.match(await api.get(`/containers/${id}/stats`), { status: 409, body: { code: 'container_not_running' } })
  t.equal((await openStream(t, `${url}/containers/${id}/stats`)).response.status, 409)
  t.match(await api.get(`/containers/${id}/top`), { status: 409 })
  for (const door of ['stats', 'top', 'changes']) t.equal((await api.get(`/containers/no-such-container/${door}`)).status, 404)
})

t.end()
