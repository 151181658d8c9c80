import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import type { Problem } from '../../schemas/problem.ts'
import type { Tombstone } from '../../schemas/tombstones.ts'
import { createClient } from '../support/api.ts'
import { createTestApp, listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABELS, TEST_RUN } from '../support/engine.ts'
import { openStream } from '../support/stream-client.ts'
import { until } from '../support/until.ts'

type Gone = Problem & { tombstone: Tombstone }

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t)
const api = createClient(url)
let count = 0
const nameOf = () => `gone-${TEST_RUN.replace('.', '-')}-${count++}`

async function run (script: string, body: Record<string, unknown> = {}) {
  return (await api.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', script], ...body })).body
}

async function untilGone (reference: string, client = api) {
  let answer = await client.get<Gone>(`/containers/${reference}`)
  await until(async () => {
    answer = await client.get<Gone>(`/containers/${reference}`)
    return answer.status === 410
  })
  return answer.body
}

const textOf = async (id: string, query = '', base = url) => await (await fetch(`${base}/containers/${id}/logs${query}`)).text()

t.test('the last words of a container that removes itself, however short its life', async (t) => {
  for (let round = 0; round < 5; round++) {
    const name = nameOf()
    const { id } = await run('echo hello; echo oh no >&2; printf "no end"; exit 3', { name, auto_remove: true, env: { SECRET: 'pass' + 'word' } })
    const gone = await untilGone(id)
    t.match(gone, { code: 'container_removed', status: 410, detail: /exit code 3/, tombstone: { id, name, image, exit_code: 3, oom_killed: false, log_bytes: 18, log_truncated: false } })
    for (const time of [gone.tombstone.created_at, gone.tombstone.started_at, gone.tombstone.finished_at, gone.tombstone.removed_at]) t.match(time, /^20.*Z$/)
    t.equal(gone.tombstone.labels['dockapi.name'], name)
    t.notOk(JSON.stringify(gone).includes('pass' + 'word'))
    const text = await textOf(id)
    for (const line of ['hello\n', 'oh no\n', 'no end']) t.ok(text.includes(line), line)
  }
})

t.test('what the engine removes before anybody can ask was heard', async (t) => {
  const chaos = await createChaosSocket(t)
  chaos.rule(/^GET \/containers\/[0-9a-f]{64}\/logs/, { kind: 'answer', status: 404, body: '{"message":"No such container"}' })
  const { url } = await listenTestApp(t, { DOCKER_HOST: chaos.host })
  const client = createClient(url)
  const { body: { id } } = await client.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', 'echo heard; printf "\\000\\377"; exit 7'], auto_remove: true })
  t.match((await untilGone(id, client)).tombstone, { exit_code: 7, log_bytes: 8 })
  t.same(Buffer.from(await (await fetch(`${url}/containers/${id}/logs`)).arrayBuffer()), Buffer.from('heard\n\0\xff', 'latin1'))
})

t.test('removed through the API: 410 at once, by id, prefix and name; the name is free for another', async (t) => {
  const name = nameOf()
  const { id } = await run('echo working; sleep 300', { name })
  await until(async () => (await textOf(id)) === 'working\n')
  t.equal((await api.delete(`/containers/${id}?force=true`)).status, 200)
  for (const reference of [id, id.slice(0, 12), name]) t.match(await api.get(`/containers/${reference}`), { status: 410, body: { tombstone: { id } } }, reference)
  t.equal(await textOf(name), 'working\n')
  await until(async () => (await api.get<Gone>(`/containers/${id}`)).body.tombstone.exit_code === 137)
  t.equal((await api.post(`/containers/${id}/start`)).status, 404, 'there is nothing to start')
  const second = await run('sleep 300', { name })
  t.match(await api.get(`/containers/${name}`), { status: 200, body: { id: second.id } })
  t.match(await api.get(`/containers/${id}`), { status: 410 })
})

t.test('removed behind the API\'s back', async () => {
  const ended = await run('echo ended; exit 4')
  const running = await run('echo running; sleep 300')
  await api.post(`/containers/${ended.id}/wait`)
  await until(async () => (await textOf(running.id)) === 'running\n')
  await until(() => app.tombstones.remains(ended.id) !== undefined)
  await engine.call('test.remove', async (docker, abortSignal) => {
    for (const { id } of [ended, running]) await docker.getContainer(id).remove({ force: true, abortSignal })
  })
  t.match((await untilGone(ended.id)).tombstone, { exit_code: 4, log_bytes: 6 })
  t.match((await untilGone(running.id)).tombstone, { exit_code: 137 }, 'its log is a race with the engine')
})

t.test('the log in every form, with its filters, and its last event', async (t) => {
  const { id } = await run('echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three', { auto_remove: true })
  await untilGone(id)
  const stream = await openStream(t, `${url}/containers/${id}/logs?follow=true`, { form: 'sse' })
  const events = await stream.rest()
  t.match(events, [{ event: 'log', data: { stream: 'stdout', line: 'one', time: /\.\d{9}Z$/ } }, { data: { stream: 'stderr', line: 'two' } }, { data: { line: 'three' } }, { event: 'end', data: { reason: 'container_removed' } }])
  const resumed = await (await openStream(t, `${url}/containers/${id}/logs`, { form: 'sse', lastId: events[0]!.id })).rest()
  t.same(resumed, events.slice(1))
  t.match((await (await openStream(t, `${url}/containers/${id}/logs?regex=^t&stdout=false`)).rest()).map(({ data }) => data.line ?? data.reason), ['two', 'container_removed'])
  t.equal(await textOf(id, '?tail=1'), 'three\n')
  t.equal(await textOf(id, '?stderr=false'), 'one\nthree\n')
  t.match(await textOf(id, '?timestamps=true&tail=1'), /^20\S+Z three\n$/)
  const answer = await fetch(`${url}/containers/${id}/logs?download=true`, { headers: { accept: 'application/json' } })
  t.match(answer.headers.get('content-disposition'), /^attachment; filename="[\w.-]+\.json"$/)
  t.match(await answer.json(), { events: [{ line: 'one' }, {}, {}], end: { reason: 'container_removed' } })
})

t.test('a terminal, and more than is kept', async (t) => {
  const long = await run('seq 1 30000', { auto_remove: true })
  const gone = (await untilGone(long.id)).tombstone
  t.ok(gone.log_truncated)
  t.ok(gone.log_bytes <= 65536 && gone.log_bytes > 10_000, `${gone.log_bytes} bytes`)
  const text = await textOf(long.id, '?tail=all')
  t.match(text, /29999\n30000\n$/)
  t.equal(Buffer.byteLength(text), gone.log_bytes)
  const { id } = await startTestContainer(engine, { image, command: ['sh', '-c', 'echo on a terminal; sleep 300'], labels: { 'dockapi.managed': 'true' } })
  await until(async () => (await textOf(id)).includes('terminal'))
})

t.test('memory that ran out is told', async () => {
  const { id } = await run('sleep 0.2; tail /dev/zero', { auto_remove: true, memory: '16m' })
  t.match((await untilGone(id)).tombstone, { oom_killed: true, exit_code: 137 })
})

t.test('those that a smaller number of replicas takes away are kept too', async (t) => {
  const { id } = await run('echo replica; sleep 300')
  const { body } = await api.call<{ containers: Array<{ id: string }> }>('PUT', `/containers/${id}/replicas`, { replicas: 2 })
  const other = body.containers.find((replica) => replica.id !== id)!.id
  await until(async () => await textOf(other) === 'replica\n')
  t.match(await api.call('PUT', `/containers/${id}/replicas`, { replicas: 1 }), { status: 200 })
  t.match((await untilGone(other)).tombstone, { id: other, exit_code: Number })
  t.equal(await textOf(other), 'replica\n')
})

t.test('the list, and the event', async (t) => {
  const stream = await openStream(t, `${url}/events?type=dockapi`)
  const { id, name } = await run('exit 5', { auto_remove: true })
  const seen = await stream.until(({ data }) => (data.subject as { id: string }).id === id)
  t.match(seen.at(-1), { event: 'dockapi', data: { action: 'tombstoned', subject: { id, name }, attributes: { exitCode: '5', 'dockapi.managed': 'true' } } })
  const { body } = await api.get<Tombstone[]>('/tombstones')
  t.match(body.find((tombstone) => tombstone.id === id), { name, exit_code: 5 })
  const first = body.map(({ removed_at: time }) => time)
  t.same(first, first.toSorted().reverse())
})

t.test('kept over a restart of dockAPI; what went meanwhile is noted when it had ended before', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'dockapi-tombstones-'))
  t.after(() => rm(dataDir, { recursive: true }))
  const start = async () => {
    const app = await createTestApp(t, { DOCKAPI_DATA_DIR: dataDir })
    await app.listen({ host: '127.0.0.1', port: 0 })
    return { app, client: createClient(app.listeningOrigin) }
  }
  const first = await start()
  const { body: gone } = await first.client.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', 'echo a; exit 6'], auto_remove: true })
  await untilGone(gone.id, first.client)
  const { body: ended } = await first.client.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', 'echo b; exit 8'] })
  const { body: running } = await first.client.run<RunResult>({ image, container_port: 80, command: ['sleep', '300'] })
  await first.client.post(`/containers/${ended.id}/wait`)
  await until(() => first.app.tombstones.remains(ended.id) !== undefined)
  await first.app.close()
  await engine.call('test.remove', async (docker, abortSignal) => {
    for (const { id } of [ended, running]) await docker.getContainer(id).remove({ force: true, abortSignal })
  })
  // Who begins to watch is told what else happened in the same second.
  await delay(1_000)
  const second = await start()
  t.match(await second.client.get(`/containers/${gone.id}`), { status: 410, body: { tombstone: { exit_code: 6 } } })
  t.match((await untilGone(ended.id, second.client)).tombstone, { exit_code: 8, log_bytes: 2 })
  t.equal((await second.client.get(`/containers/${running.id}`)).status, 404, 'nothing is claimed of what nobody saw')
})

t.test('what was never seen is not found; nothing is kept when nothing is wanted', async (t) => {
  const foreign = await startTestContainer(engine, { image, command: ['true'], labels: TEST_LABELS, hostConfig: { AutoRemove: true } })
  const { url } = await listenTestApp(t, { DOCKAPI_TOMBSTONES: '0' })
  const off = createClient(url)
  const { body } = await off.run<RunResult>({ image, container_port: 80, command: ['sleep', '300'] })
  await off.delete(`/containers/${body.id}?force=true`)
  t.equal((await off.get(`/containers/${body.id}`)).status, 404)
  t.same((await off.get('/tombstones')).body, [])
  t.equal((await api.get(`/containers/${foreign.id}`)).status, 404)
  t.equal((await api.get('/containers/never-there')).status, 404)
})

t.end()
