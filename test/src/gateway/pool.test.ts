import { randomBytes } from 'node:crypto'
import t from 'tap'
import { UpstreamFailure } from '../../../src/forward/upstream-failure.ts'
import { createPool } from '../../../src/gateway/pool.ts'
import type { PoolMember, PoolService } from '../../../src/gateway/pool-service.ts'
import { createRandom, poolMember, poolService } from '../../support/pool.ts'

const secret = randomBytes(32)
const refused = () => new UpstreamFailure('unreachable', 'refused')
const reset = () => new UpstreamFailure('reset', 'reset')

function testPool () {
  let time = 0
  const pool = createPool({ secret, now: () => time })
  const serve = (service: PoolService, count = 1) => Array.from({ length: count }, () => {
    const lease = pool.take(service, {})
    lease.answered(200)
    lease.end()
    return lease.member.container.id
  })
  const fail = (service: PoolService, error: unknown = refused()) => {
    const lease = pool.take(service, {})
    lease.failed(error)
    lease.end()
    return lease.member.container.id
  }
  return { pool, serve, fail, pass: (ms: number) => { time += ms }, states: (service: PoolService) => service.members.map((member) => pool.stateOf(service, member).state) }
}

const of = (ids: string, settings = {}) => poolService([...ids].map((id) => poolMember(id)), settings)
const countOf = (ids: readonly string[]) => Object.fromEntries([...new Set(ids)].sort().map((id) => [id, ids.filter((other) => other === id).length]))

/** The greatest difference of weighted turns between two that were there all the time, over every window. */
function greatestDistance (turns: Array<{ id: string, present: readonly PoolMember[] }>): number {
  let greatest = 0
  for (let start = 0; start < turns.length; start++) {
    const counts = new Map(turns[start]!.present.map(({ container: { id }, weight }) => [id, { count: 0, weight: weight ?? 1 }]))
    for (let end = start; end < turns.length; end++) {
      const { id, present } = turns[end]!
      if (end > start && turns[end]!.present !== turns[end - 1]!.present) {
        const ids = new Set(present.map(({ container }) => container.id))
        for (const known of counts.keys()) if (!ids.has(known)) counts.delete(known)
      }
      const entry = counts.get(id)
      if (entry !== undefined) entry.count++
      const all = [...counts.values()]
      for (const one of all) for (const other of all) greatest = Math.max(greatest, (one.count / one.weight - other.count / other.weight) / (1 / one.weight + 1 / other.weight))
    }
  }
  return greatest
}

t.test('round robin: over every window no two members that are there differ by more than one, whoever joins and leaves', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = createRandom(seed)
    const { serve } = testPool()
    let next = 0
    let members = Array.from({ length: 1 + Math.floor(random() * 6) }, () => poolMember(`m${next++}`))
    let service = poolService(members)
    const turns: Parameters<typeof greatestDistance>[0] = []
    for (let index = 0; index < 160; index++) {
      if (random() < 0.12) {
        const isJoin = members.length < 2 || random() < 0.5
        members = isJoin ? [...members, poolMember(`m${next++}`)] : members.filter((_, place) => place !== Math.floor(random() * members.length))
        if (random() < 0.3) members = members.toSorted(() => random() - 0.5)
        if (members.length === 0) members = [poolMember(`m${next++}`)]
        service = poolService(members)
      }
      turns.push({ id: serve(service)[0]!, present: members })
    }
    // Equal weights: (a - b) / 2 <= 1/2.
    t.ok(greatestDistance(turns) <= 0.5, `seed ${seed}`)
  }
})

t.test('round robin: one that joins gets one turn in each round from the first on, and no burst; one that leaves shifts nobody', async (t) => {
  const { serve } = testPool()
  t.same(serve(of('abc'), 7), [...'abcabca'])
  t.same(serve(of('xabcd'), 11), [...'bcaxdbcaxdb'], 'the new ones come after a whole round of the others')
  t.same(serve(of('abxd'), 9), [...'axdbaxdba'])
})

t.test('round robin with requests at the same time, and with a table swap before each of them', async (t) => {
  const { pool } = testPool()
  const leases = Array.from({ length: 3_000 }, () => pool.take(of('abc'), {}))
  t.same(countOf(leases.map(({ member }) => member.container.id)), { a: 1_000, b: 1_000, c: 1_000 })
  t.equal(pool.trafficOf('shop').in_flight, 3_000)
  for (const { end } of leases) end()
  t.equal(pool.trafficOf('shop').in_flight, 0)
})

t.test('weights: each gets its part, evenly spread, over every window within one stride of each', async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = createRandom(seed)
    const { serve } = testPool()
    let members = Array.from({ length: 2 + Math.floor(random() * 4) }, (_, index) => poolMember(`m${index}`, { weight: 1 + Math.floor(random() * 9) }))
    const turns = Array.from({ length: 200 }, (_, index) => {
      if (index === 100) members = [...members.slice(1), poolMember('new', { weight: 5 })]
      return { id: serve(poolService(members))[0]!, present: members }
    })
    t.ok(greatestDistance(turns) <= 1 + 1e-9, `seed ${seed}: ${greatestDistance(turns)}`)
  }
  const { serve } = testPool()
  const service = poolService([poolMember('a', { weight: 5 }), poolMember('b'), poolMember('c', { weight: 0 })])
  t.same(countOf(serve(service, 600)), { a: 500, b: 100 }, 'with weight 0 none')
})

t.test('a pool whose members all have weight 0 says so', async (t) => {
  const { pool } = testPool()
  t.throws(() => pool.take(poolService([poolMember('a', { weight: 0 })]), {}), { code: 'upstream_not_ready', message: /weight 0/ })
})

t.test('least connections: the one with the fewest requests for its weight, of equals in turn', async (t) => {
  const { pool, serve } = testPool()
  const service = of('abc', { strategy: 'least_connections' })
  t.same(serve(service, 6), [...'abcabc'], 'idle ones in turn')
  const held = [pool.take(service, {}), pool.take(service, {})]
  t.same(held.map(({ member }) => member.container.id), ['a', 'b'])
  t.same(serve(service, 3), ['c', 'c', 'c'])
  held[0]!.end()
  t.same(countOf(serve(service, 4)), { a: 2, c: 2 })
  held[1]!.end()
  const weighted = poolService([poolMember('x', { weight: 3 }), poolMember('y')], { strategy: 'least_connections' }, 'weighted')
  t.same(countOf(Array.from({ length: 40 }, () => pool.take(weighted, {}).member.container.id)), { x: 30, y: 10 })
})

t.test('least connections counts what a member serves in other services', async (t) => {
  const { pool } = testPool()
  pool.take(poolService([poolMember('a')], {}, 'own name of a'), {})
  t.equal(pool.take(of('ab', { strategy: 'least_connections' }), {}).member.container.id, 'b')
})

t.test('sticky: a client stays with its upstream, by a cookie that tells nothing and that nobody can make', async (t) => {
  const { pool, serve } = testPool()
  const service = of('abc', { sticky: { max_age: 60, same_site: 'lax', path: '/app' } })
  const first = pool.take(service, {})
  const [pair, ...attributes] = first.setCookie!.split('; ')
  t.match(pair, /^dockapi_[0-9a-f]{10}=[\w-]{22}$/)
  t.same(attributes, ['Path=/app', 'Max-Age=60', 'SameSite=Lax', 'HttpOnly'])
  for (let count = 0; count < 5; count++) {
    const again = pool.take(service, { cookie: `other=1; ${pair};theme=dark` })
    t.match({ id: again.member.container.id, setCookie: again.setCookie }, { id: 'a', setCookie: undefined })
  }
  t.same(serve(service, 3), ['b', 'c', 'a'], 'whoever has a cookie takes nobody\'s turn')
  for (const forged of ['a', 'a:80', Buffer.from('a:80').toString('base64url'), '', '%00', 'x'.repeat(5_000)]) {
    t.ok(pool.take(service, { cookie: `${pair!.split('=')[0]}=${forged}` }).setCookie, 'a forged value is no choice')
  }
  const elsewhere = createPool({ secret: randomBytes(32) }).take(service, { cookie: pair! })
  t.not(elsewhere.setCookie!.split(';')[0], pair, 'another secret, another value')
})

t.test('sticky: when its upstream is gone or ejected a client gets another one, and its cookie', async (t) => {
  const { pool, serve } = testPool()
  const sticky = { cookie: 'place', secure: true, http_only: false }
  const cookieOf = (line: string | undefined) => line!.split(';')[0]!
  const first = pool.take(of('ab', { sticky }), {})
  t.match(first.setCookie, /^place=[\w-]{22}; Path=\/; Secure$/)
  first.failed(refused())
  const second = pool.take(of('ab', { sticky }), { cookie: cookieOf(first.setCookie) })
  t.equal(second.member.container.id, 'b')
  t.not(cookieOf(second.setCookie), cookieOf(first.setCookie))
  const third = pool.take(of('ac', { sticky }), { cookie: cookieOf(second.setCookie) })
  t.equal(third.member.container.id, 'c')
  t.ok(third.setCookie)
  const same = poolService([poolMember('c')], { sticky })
  t.equal(pool.take(same, { cookie: cookieOf(third.setCookie) }).setCookie, undefined)
  serve(same)
  const { setCookie } = pool.take(of('x', { sticky: { same_site: 'none' } }), {})
  t.match(setCookie, /SameSite=None; Secure; HttpOnly$/)
})

t.test('sticky: a lost kept connection is no reason to move a client, a refused one is', async (t) => {
  const { pool } = testPool()
  const service = of('ab', { sticky: {} })
  const lease = pool.take(service, {})
  t.equal(pool.takeOther(service, lease, new UpstreamFailure('reset', 'gone', { isStale: true }), {}), undefined)
  const other = pool.takeOther(service, lease, refused(), {})!
  t.equal(other.member.container.id, 'b')
  t.ok(other.setCookie)
  const plain = of('ab')
  t.ok(pool.takeOther(plain, pool.take(plain, {}), new UpstreamFailure('reset', 'gone', { isStale: true }), {}))
})

t.test('ejection: a refused connection at once, other failures after three in a row; answers, also of status 500, are none', async (t) => {
  const { pool, serve, fail, states } = testPool()
  const service = of('ab')
  t.equal(fail(service), 'a')
  t.same(states(service), ['ejected', 'up'])
  t.same(countOf(serve(service, 10)), { b: 10 })

  const soft = poolService([poolMember('x'), poolMember('y')], {}, 'soft')
  const failX = (error: unknown) => {
    const lease = pool.take(soft, {})
    if (lease.member.container.id === 'x') lease.failed(error)
    else lease.answered(500)
    lease.end()
  }
  for (let count = 0; count < 4; count++) failX(reset())
  serve(soft, 2)
  for (let count = 0; count < 4; count++) failX(reset())
  t.same(states(soft), ['up', 'up'], 'an answer between forgives')
  for (let count = 0; count < 2; count++) failX(reset())
  t.same(states(soft), ['ejected', 'up'])
  t.match(pool.trafficOfMember('x:80'), { failures: 5 })
  t.match(pool.trafficOfMember('y:80'), { failures: 0, statuses: { '5xx': 5 } })
})

t.test('ejection: what is the client\'s doing, or ours, is not held against an upstream', async (t) => {
  const { pool, fail, states } = testPool()
  const service = of('ab')
  for (const error of [new UpstreamFailure('client-timeout', 'slow'), new UpstreamFailure('aborted', 'shutdown'), new UpstreamFailure('reset', 'kept', { isStale: true }), new Error('client gone')]) {
    for (let count = 0; count < 8; count++) fail(service, error)
  }
  t.same(states(service), ['up', 'up'])
  t.equal(pool.trafficOf('shop').failures, 8, 'a lost kept connection is counted when nothing took its place')
})

t.test('ejection: its times grow, one request at a time is the trial, and the first answer brings it back with a small share', async (t) => {
  const { pool, serve, fail, pass, states } = testPool()
  const service = of('ab')
  t.equal(fail(service), 'a')
  for (const expected of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    t.same(countOf(serve(service, 6)), { b: 6 })
    pass(expected - 1)
    t.same(countOf(serve(service, 6)), { b: 6 }, `still out 1 ms before ${expected} ms are over`)
    pass(1)
    const held = [pool.take(service, {}), pool.take(service, {}), pool.take(service, {})]
    t.same(held.map(({ member }) => member.container.id).sort(), ['a', 'b', 'b'], 'one trial')
    for (const lease of held) {
      if (lease.member.container.id === 'a') lease.failed(refused())
      lease.end()
    }
  }
  pass(30_000)
  t.equal(serve(service, 2).includes('a'), true)
  t.same(states(service), ['up', 'up'])
  t.same(countOf(serve(service, 110)), { a: 10, b: 100 })
  pass(5_000)
  t.same(countOf(serve(service, 150)), { a: 50, b: 100 })
  pass(5_000)
  t.same(countOf(serve(service, 100)), { a: 50, b: 50 })
  t.equal(fail(service, refused()), 'a')
  pass(1_000)
  t.ok(serve(service, 2).includes('a'), 'the time begins small again')
})

t.test('ejection: a trial that the client left is no verdict, and the next one may try', async (t) => {
  const { pool, fail, pass, states } = testPool()
  const service = of('ab')
  fail(service)
  pass(1_000)
  const trial = [pool.take(service, {}), pool.take(service, {})].find(({ member }) => member.container.id === 'a')!
  trial.failed(new Error('client gone'))
  trial.end()
  t.same(states(service), ['ejected', 'up'])
  t.ok([pool.take(service, {}), pool.take(service, {})].some(({ member }) => member.container.id === 'a'))
})

t.test('ejection: requests that were under way when it was ejected do not make it longer', async (t) => {
  const { pool, serve, pass } = testPool()
  const service = of('ab')
  const leases = Array.from({ length: 40 }, () => pool.take(service, {}))
  for (const lease of leases) {
    if (lease.member.container.id === 'a') lease.failed(refused())
    else lease.answered(200)
    lease.end()
  }
  pass(1_000)
  t.ok(serve(service, 2).includes('a'))
})

t.test('ejection: the last one is always tried, of several the one that is back first, and a retry never gets what failed', async (t) => {
  const { pool, serve, fail, pass } = testPool()
  const single = poolService([poolMember('s')], {}, 'single')
  for (let count = 0; count < 20; count++) t.equal(fail(single), 's')
  t.same(serve(single), ['s'])

  const service = of('ab')
  t.equal(fail(service), 'a')
  pass(100)
  t.equal(fail(service), 'b')
  t.equal(pool.take(service, {}).member.container.id, 'a')
  const lease = pool.take(service, {})
  const other = pool.takeOther(service, lease, refused(), {})!
  t.not(other.member.key, lease.member.key)
  t.equal(pool.takeOther(poolService([other.member]), other, refused(), {}), undefined)
})

t.test('a request goes on to upstreams that it did not meet yet, to four in all', async (t) => {
  const { pool } = testPool()
  const met = (service: ReturnType<typeof of>) => {
    const ids: string[] = []
    for (let lease: ReturnType<typeof pool.take> | undefined = pool.take(service, {}); lease !== undefined; lease = pool.takeOther(service, lease, refused(), {})) ids.push(lease.member.container.id)
    return ids
  }
  t.same(met(of('abc')).sort(), ['a', 'b', 'c'])
  t.equal(new Set(met(of('uvwxyz'))).size, 4)

  const pair = of('ab')
  const first = pool.take(pair, {})
  const second = pool.takeOther(pair, first, new UpstreamFailure('reset', 'gone', { isStale: true }), {})!
  t.equal(pool.takeOther(pair, second, refused(), {})?.member, first.member, 'a lost kept connection was no meeting')
})

t.test('what is known outlives every table; a new run of the container begins anew', async (t) => {
  const { pool, fail, states } = testPool()
  t.equal(fail(of('ab')), 'a')
  t.same(states(of('ab')), ['ejected', 'up'])
  t.same(states(of('b')), ['up'])
  t.same(states(of('ab')), ['ejected', 'up'], 'also when it was away for a while')
  const restarted = poolService([poolMember('a', { run: 'second' }), poolMember('b')])
  t.same(states(restarted), ['up', 'up'])
  t.equal(pool.trafficOfMember('a:80').failures, 1)
})

t.test('one whose port was not seen open yet is taken when there is no other, and is not ejected for refusing', async (t) => {
  const { serve, fail, states } = testPool()
  const service = poolService([poolMember('a', { state: 'opening' }), poolMember('b')])
  t.same(serve(service, 2), ['b', 'b'])
  const opening = poolService([poolMember('a', { state: 'opening' }), poolMember('b', { state: 'draining' })])
  t.same([fail(opening), fail(opening)], ['a', 'a'])
  t.same(states(opening), ['opening', 'draining'])
})

t.test('none ready: each state has its reason, and a time to come again', async (t) => {
  const { pool } = testPool()
  const refusalOf = (...states: PoolMember['state'][]) => {
    try {
      pool.take(poolService(states.map((state, index) => poolMember(`m${index}`, { state, ...(state === 'unreachable' ? { address: { problem: 'It exposes no TCP port.' } } : {}) }))), {})
    } catch (error) {
      return error
    }
    return undefined
  }
  t.match(refusalOf('down'), { code: 'upstream_not_running', retryAfterSeconds: 5, message: /"m0-name" is/ })
  t.match(refusalOf('down', 'paused'), { code: 'upstream_not_running', message: 'None of the 2 containers of "shop" runs.' })
  t.match(refusalOf('starting', 'draining'), { code: 'upstream_not_ready', retryAfterSeconds: 1, message: /starting, draining/ })
  t.match(refusalOf('unreachable', 'down'), { code: 'upstream_failed', message: 'It exposes no TCP port.' })
  t.match(refusalOf(), { code: 'upstream_not_running', message: /no container/ })
})

t.test('a container is idle when its requests are over; its upgraded connections are told, and then cut', async (t) => {
  const { pool } = testPool()
  const service = of('a')
  const request = pool.take(service, {})
  const calls: string[] = []
  const polite = pool.take(service, { upgrade: { end: () => { calls.push('end'); polite.end() }, destroy: () => { calls.push('destroyed early') } } })
  let isIdle = false
  const idle = pool.whenIdle('a').then(() => { isIdle = true })
  await Promise.resolve()
  t.notOk(isIdle)
  request.end()
  request.end()
  await idle
  t.equal(pool.upgradesOf('a'), 1)
  await pool.endUpgrades('a', 60_000)
  t.same(calls, ['end'])
  const deaf = pool.take(service, { upgrade: { end: () => { calls.push('not heard') }, destroy: () => { calls.push('cut'); deaf.end() } } })
  t.equal(pool.trafficOf('shop').upgrades, 1)
  await pool.endUpgrades('a', 1)
  t.same(calls, ['end', 'not heard', 'cut'])
  t.equal(pool.upgradesOf('a'), 0)
  await Promise.all([pool.endUpgrades('a', 1), pool.whenIdle('a'), pool.whenIdle('unknown')])
})

t.test('what is in no table for ten minutes is forgotten', async (t) => {
  const { pool, serve, pass } = testPool()
  pool.follow([of('ab')])
  serve(of('ab'), 4)
  pass(9 * 60_000)
  pool.follow([of('b')])
  t.equal(pool.trafficOfMember('a:80').total, 2)
  pass(2 * 60_000)
  pool.follow([of('b')])
  t.equal(pool.trafficOfMember('a:80').total, 0)
  t.match(pool.trafficOfMember('b:80'), { total: 2, latency_ms: null })
  t.match(pool.trafficOf('shop'), { total: 4, latency_ms: null })
  t.match(pool.totalsOf('shop'), { in_flight: 0, failures: 0, statuses: { '2xx': 4 }, latencies: { count: 4 } }, 'totals stay for as long as the service is there')
  t.equal(pool.totalsOf('unknown').latencies, undefined)
})

t.end()
