import t from 'tap'
import type { Test } from 'tap'
import type { Engine } from '../../src/engine/engine.ts'
import { createEventStream } from '../../src/engine/event-stream.ts'
import type { EventStream, EventWatch, WatchOptions } from '../../src/engine/event-stream.ts'
import type { EngineEvent } from '../../src/engine/events.ts'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, TEST_LABELS } from '../support/engine.ts'
import { until } from '../support/until.ts'

type Seen = { watch: EventWatch, events: EngineEvent[], gaps: number, losses: number, end (): void }

/** Watches until the test ends. */
function watch (t: Test, { events }: { events: EventStream }, options: Partial<WatchOptions> = {}): Seen {
  const ending = new AbortController()
  const seen = { events: [] as EngineEvent[], gaps: 0, losses: 0, end: () => ending.abort() }
  const started = events.watch({
    onEvent: (event) => { seen.events.push(event) },
    onGap: () => { seen.gaps++ },
    onLost: () => { seen.losses++ },
    signal: ending.signal,
    ...options
  })
  t.after(() => ending.abort())
  return Object.assign(seen, { watch: started })
}

async function createContainer (engine: Engine, labels: Record<string, string> = {}): Promise<string> {
  const Image = await busyboxImage(engine)
  const container = await engine.call('test.create', (docker, abortSignal) => docker.createContainer({ Image, Cmd: ['true'], Labels: { ...TEST_LABELS, ...labels }, abortSignal }))
  return container.id
}

const has = (seen: Seen, id: string, action = 'create') => seen.events.some((event) => event.id === id && event.action === action)

await t.test('events of containers arrive with their attributes', async (t) => {
  const engine = createTestEngine(t)
  const seen = watch(t, engine)
  t.notOk(seen.watch.isLive, 'not before the stream is open')
  await until(() => seen.watch.isLive)
  t.equal(seen.gaps, 1)
  const id = await createContainer(engine, { 'dockapi-name': 'Größe 🐳' })
  await until(() => has(seen, id))
  const event = seen.events.find((candidate) => candidate.id === id)
  t.match(event, { type: 'container', action: 'create', attributes: { 'dockapi-name': 'Größe 🐳' }, time: Number })
})

await t.test('events that are cut into single bytes are whole', async (t) => {
  const real = createTestEngine(t)
  const chaos = await createChaosSocket(t)
  chaos.rule('/events', { kind: 'slice' })
  const seen = watch(t, engineAt(t, { DOCKER_HOST: chaos.host }))
  await until(() => seen.watch.isLive)
  const id = await createContainer(real, { 'dockapi-name': 'Größe 🐳', big: 'x'.repeat(5000) })
  await until(() => has(seen, id))
  t.match(seen.events.find((event) => event.id === id)?.attributes, { 'dockapi-name': 'Größe 🐳' })
  t.equal(seen.gaps, 1)
})

await t.test('a lost stream is opened again, tells a gap, and what happened meanwhile comes after', async (t) => {
  const real = createTestEngine(t)
  const chaos = await createChaosSocket(t)
  const seen = watch(t, engineAt(t, { DOCKER_HOST: chaos.host }))
  await until(() => seen.watch.isLive)

  await chaos.stop()
  await until(() => !seen.watch.isLive)
  const id = await createContainer(real)
  t.notOk(has(seen, id))
  await chaos.start()
  await until(() => seen.watch.isLive && has(seen, id))
  t.equal(seen.gaps, 2)
  t.ok(seen.losses >= 1)
})

await t.test('a stream that is cut as soon as it opens is tried again ever more slowly', async (t) => {
  const chaos = await createChaosSocket(t)
  chaos.rule('/events', { kind: 'answer', status: 200, body: '' })
  const seen = watch(t, engineAt(t, { DOCKER_HOST: chaos.host }))
  const started = Date.now()
  await until(() => seen.gaps === 5)
  t.ok(Date.now() - started >= 750 - 50, 'at least the halves of 100, 200, 400 and 800 ms lie between five attempts')
  t.equal(chaos.count('/events'), 5)
})

await t.test('an engine that refuses events is asked again and never live', async (t) => {
  const chaos = await createChaosSocket(t)
  chaos.rule('/events', { kind: 'answer', status: 403, type: 'text/html', body: '<html>403</html>' })
  const codes: Array<string | undefined> = []
  const seen = watch(t, engineAt(t, { DOCKER_HOST: chaos.host }), { onLost: (error) => { codes.push(error?.code) } })
  await until(() => codes.length === 2)
  t.strictSame(codes, ['feature_disabled', 'feature_disabled'])
  t.notOk(seen.watch.isLive)
  t.equal(seen.gaps, 0)
  chaos.clear()
  await until(() => seen.watch.isLive)
  t.equal(seen.gaps, 1)
})

await t.test('a silent stream is kept while the engine answers pings and given up when it does not', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const seen = watch(t, { events: createEventStream(engine, { silenceMs: 20, types: ['plugin'] }) })
  await until(() => chaos.count('/_ping') >= 3)
  t.equal(seen.losses, 0)
  t.ok(seen.watch.isLive)

  chaos.rule('/_ping', { kind: 'drop' })
  await until(() => seen.losses >= 1)
  chaos.clear()
  await until(() => seen.watch.isLive)
  t.ok(seen.gaps >= 2)
})

await t.test('what is no event is a gap; what follows is read', async (t) => {
  const chaos = await createChaosSocket(t)
  const event = { Type: 'container', Action: 'die', Actor: { ID: 'abc', Attributes: null }, time: 1 }
  chaos.rule('/events', { kind: 'answer', status: 200, body: `{"broken\n{"Type":1}\n${JSON.stringify(event)}\n${JSON.stringify({ ...event, Action: 'start' })}\n` })
  const seen = watch(t, engineAt(t, { DOCKER_HOST: chaos.host }))
  await until(() => seen.events.length >= 2)
  t.match(seen.events.map(({ action }) => action), ['die', 'start'])
  t.ok(seen.gaps >= 3, 'the opening and two lines')
})

await t.test('all who watch share one stream; it ends with the last of them, and the next one opens it anew', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const first = watch(t, engine)
  await until(() => first.watch.isLive)
  const second = watch(t, engine, { types: ['image'] })
  t.ok(second.watch.isLive)
  t.equal(second.gaps, 0)
  await until(() => second.gaps === 1)
  const id = await createContainer(engine)
  await until(() => has(first, id))
  t.same(second.events, [])
  first.end()
  t.notOk(first.watch.isLive)
  t.ok(second.watch.isLive)
  t.equal(chaos.count('/events'), 1)
  second.end()
  const third = watch(t, engine)
  await until(() => third.watch.isLive)
  t.equal(chaos.count('/events'), 2)
})

await t.test('an engine that comes back is followed at once when any call finds it', async (t) => {
  const chaos = await createChaosSocket(t, { isStarted: false })
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const seen = watch(t, engine)
  // From then on the stream rests for 1.6 s at least between two attempts.
  await until(() => seen.losses === 6)
  await chaos.start()
  await engine.call('test.version', (docker) => docker.version())
  const before = seen.losses
  await until(() => seen.watch.isLive)
  t.equal(seen.losses, before)
})

await t.test('who comes while the stream rests is told at once whether it opens', async (t) => {
  const chaos = await createChaosSocket(t, { isStarted: false })
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const waiting = watch(t, engine)
  await until(() => waiting.losses === 6)
  const late = watch(t, engine)
  await until(() => late.losses === 1)
  t.equal(waiting.losses, 7)
})

await t.test('the watch ends with its signal and leaves no connection', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const seen = watch(t, engine)
  await until(() => seen.watch.isLive)
  seen.end()
  await until(() => !seen.watch.isLive)
  await engine.close()
  await until(() => chaos.connections.open === 0)
  const asked = chaos.count('/events')
  t.equal(asked, 1)
})
