import t from 'tap'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'
import { until } from '../support/until.ts'

/** Generous guard for what must not wait for a deadline of minutes. */
const GUARD_MS = 20_000

await t.test('a hung engine is told at the deadline, and all works again after it', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const list = (timeoutMs: number) => engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ abortSignal }), { timeoutMs })
  await list(GUARD_MS)

  chaos.rule(/./, { kind: 'hang' })
  await t.rejects(list(100), { code: 'engine_timeout', message: /containers\.list/ }, 'it accepts and never answers')
  chaos.clear()
  t.type(await list(GUARD_MS), Array)

  chaos.rule('/info', { kind: 'cut', afterBytes: 50, isHung: true })
  await t.rejects(engine.call('info', (docker) => docker.info(), { timeoutMs: 300 }), { code: 'engine_timeout' }, 'it stops in the middle of the body')
  t.type(await list(GUARD_MS), Array)
})

await t.test('a call that pays no heed to its signal ends at the deadline too', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  await t.rejects(engine.call('x', () => new Promise(() => {}), { timeoutMs: 50 }), { code: 'engine_timeout' })
})

await t.test('an engine that hangs from the first question on is told, and found once it answers', async (t) => {
  const chaos = await createChaosSocket(t)
  chaos.rule(/./, { kind: 'hang' })
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const list = (timeoutMs: number) => engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ abortSignal }), { timeoutMs })
  await t.rejects(list(100), { code: 'engine_timeout' })
  chaos.clear()
  await until(() => list(GUARD_MS).then(() => true, () => false))
  t.pass('found')
})

await t.test('a thousand callers of a hung engine hold a bounded number of connections, and leave none', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  const list = (timeoutMs: number) => engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ abortSignal }), { timeoutMs })
  await list(GUARD_MS)

  chaos.rule('/containers/json', { kind: 'hang' })
  const answers = await Promise.all(Array.from({ length: 1000 }, () => list(1000).then(() => 'answered', (error: { code: string }) => error.code)))
  t.strictSame(new Set(answers), new Set(['engine_timeout']))
  t.ok(chaos.connections.most <= 70, `${chaos.connections.most} connections at most`)

  chaos.clear()
  t.type(await list(GUARD_MS), Array)
  await until(() => chaos.connections.open <= 3)
  const answered = await Promise.all(Array.from({ length: 1000 }, () => list(GUARD_MS).then(() => 'answered', (error: { code: string }) => error.code)))
  t.strictSame(new Set(answered), new Set(['answered']))
  t.ok(chaos.connections.most <= 70)
})

await t.test('one operation that hangs leaves the others alone, and open streams starve no call', async (t) => {
  const chaos = await createChaosSocket(t)
  const engine = engineAt(t, { DOCKER_HOST: chaos.host })
  chaos.rule('/containers/stuck/json', { kind: 'hang' })
  const leaving = new AbortController()
  const stuck = Array.from({ length: 20 }, () => engine.call('containers.inspect', (docker, abortSignal) => docker.getContainer('stuck').inspect({ abortSignal }), { signal: leaving.signal }).catch(() => {}))
  const streams = await Promise.all(Array.from({ length: 200 }, () =>
    engine.open('events', (docker, abortSignal) => docker.getEvents({ ...{ abortSignal } }), { signal: leaving.signal, timeoutMs: GUARD_MS })))
  const waits = Array.from({ length: 100 }, () =>
    engine.call('wait', (_docker, signal) => new Promise((resolve) => signal.addEventListener('abort', resolve)), { isLong: true, signal: leaving.signal }).catch(() => {}))

  t.equal(streams.length, 200)
  t.type(await engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ abortSignal }), { timeoutMs: GUARD_MS }), Array)
  t.match(await engine.health(), { ok: true })
  leaving.abort()
  await Promise.all([...stuck, ...waits])
  await until(() => chaos.connections.open <= 5)
  t.pass('and all is given back')
})
