import t from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABEL, TEST_RUN } from '../support/engine.ts'
import { openStream } from '../support/stream-client.ts'
import type { Received } from '../support/stream-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)
const OURS = `label=${TEST_LABEL}%3D${TEST_RUN}`

async function run (body: Record<string, unknown> = {}) {
  return (await api.run<RunResult>({ image, container_port: 80, command: ['sleep', '300'], ...body })).body
}

const isAction = (action: string) => ({ data }: Received) => data.action === action
const actionsOf = (events: Received[]) => events.map(({ data }) => data.action)

t.test('what happens to a container comes in order, in both forms', async (t) => {
  const streams = await Promise.all((['ndjson', 'sse'] as const).map((form) => openStream(t, `${url}/events?type=container&${OURS}`, { form })))
  const { id, name } = await run()
  await api.delete(`/containers/${id}?force=true`)
  for (const stream of streams) {
    const events = await stream.until(isAction('destroy'))
    t.same(actionsOf(events), ['create', 'start', 'kill', 'die', 'destroy'])
    t.match(events[0], { event: 'container', id: /^\d{19}~\d{16}$/, data: { time: /Z$/, subject: { id, name }, attributes: { [TEST_LABEL]: TEST_RUN } } })
  }
})

t.test('what is out of scope does not show, nor do its networks', async (t) => {
  const stream = await openStream(t, `${url}/events`)
  const foreign = await startTestContainer(engine, { image, command: ['sleep', '300'] })
  const { id } = await run()
  await api.delete(`/containers/${id}?force=true`)
  const events = await stream.until(({ event, data }) => event === 'container' && data.action === 'destroy' && (data.subject as { id: string }).id === id)
  t.notOk(JSON.stringify(events).includes(foreign.id))
  t.ok(events.some(({ event, data }) => event === 'network' && (data.attributes as Record<string, string>).container === id), 'networks of what is in scope do')
})

t.test('filters by action and container, by name before it exists', async (t) => {
  const name = `events-${TEST_RUN.replace('.', '-')}`
  const stream = await openStream(t, `${url}/events?action=start&action=die&container=${name}`)
  const { id } = await run({ name })
  await run()
  await api.post(`/containers/${id}/kill`)
  t.same(actionsOf(await stream.until(isAction('die'))), ['start', 'die'])
})

t.test('commands inside containers are not told', async (t) => {
  const stream = await openStream(t, `${url}/events?action=exec_create&${OURS}`)
  const { id } = await run()
  await api.post(`/containers/${id}/exec`, { command: ['echo', 'pass' + 'word'] })
  const [event] = await stream.until(isAction('exec_create'))
  t.equal(event!.data.action, 'exec_create')
  t.notOk(JSON.stringify(event).includes('pass' + 'word'))
})

t.test('a stream that is taken up again has neither holes nor doubles', async (t) => {
  const address = `${url}/events?type=container&${OURS}`
  const whole = await openStream(t, address)
  const first = await openStream(t, address, { form: 'sse' })
  const { id } = await run()
  const seen = await first.until(isAction('create'))
  first.leave()
  await api.post(`/containers/${id}/pause`)
  await api.post(`/containers/${id}/unpause`)
  const second = await openStream(t, address, { form: 'sse', lastId: seen.at(-1)!.id })
  seen.push(...await second.until(isAction('unpause')))
  second.leave()
  await api.delete(`/containers/${id}?force=true`)
  const third = await openStream(t, `${address}&timeout=0`, { form: 'sse', lastId: seen.at(-1)!.id })
  seen.push(...await third.rest())
  t.same(seen.pop(), { event: 'end', data: { reason: 'timeout' } })
  const expected = await whole.until(isAction('destroy'))
  t.same(seen, expected)
})

t.test('JSON is bounded by limit and by timeout', async (t) => {
  const { id } = await run()
  await api.post(`/containers/${id}/kill`)
  const past = await api.get<{ events: Array<{ action: string }>, end: object }>(`/events?since=1h&container=${id}&timeout=0&type=container`)
  t.match(past.headers.get('content-type'), /^application\/json/)
  t.same(past.body.events.map(({ action }) => action), ['create', 'start', 'kill', 'die'])
  t.same(past.body.end, { reason: 'timeout' })
  const limited = await api.get<{ events: Array<{ action: string }>, end: object }>(`/events?since=1h&container=${id}&limit=2&type=container`)
  t.same(limited.body.events.map(({ action }) => action), ['create', 'start'])
  t.same(limited.body.end, { reason: 'limit_reached' })
  t.same((await api.get('/events?action=never&timeout=0.01')).body, { events: [], end: { reason: 'timeout' } })
})

t.test('wrong questions are refused', async (t) => {
  for (const query of ['type=volume', 'limit=0', 'timeout=-1', 'since=yesterday', 'x=1']) t.equal((await api.get(`/events?${query}`)).status, 400, query)
  t.equal((await openStream(t, `${url}/events`, { lastId: 'x' })).response.status, 400)
  t.equal((await fetch(`${url}/events`, { headers: { accept: 'text/html' } })).status, 406)
})

t.test('a hundred listeners need no stream of the engine beside the one that is open', async (t) => {
  const chaos = await createChaosSocket(t)
  const { app, url } = await listenTestApp(t, { DOCKER_HOST: chaos.host })
  await until(() => chaos.count('/events') > 0)
  const streams = await Promise.all(Array.from({ length: 100 }, () => openStream(t, `${url}/events?action=start&${OURS}`)))
  t.equal(app.events.subscribers, 100)
  const { id } = await run()
  // What started in the second in which the engine's stream was opened may come before it.
  for (const stream of streams) t.ok(await stream.until(({ data }) => (data.subject as { id: string }).id === id))
  for (const stream of streams) stream.leave()
  await until(() => app.events.subscribers === 0)
  t.equal(chaos.count('/events'), 1)
})

t.test('an engine that goes away is the last event; one that is away is a problem', async (t) => {
  const chaos = await createChaosSocket(t)
  const { url } = await listenTestApp(t, { DOCKER_HOST: chaos.host })
  const stream = await openStream(t, `${url}/events`, { form: 'sse' })
  await chaos.stop()
  t.match((await stream.rest()).at(-1), { event: 'end', data: { reason: 'engine_lost' } })
  t.equal((await openStream(t, `${url}/events`)).response.status, 503)
})

t.end()
