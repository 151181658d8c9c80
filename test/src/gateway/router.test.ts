import t from 'tap'
import { createRouter } from '../../../src/gateway/router.ts'
import type { Routable } from '../../../src/gateway/router.ts'
import { isMatch } from '../../../src/gateway/rules/match.ts'
import { parseRule } from '../../../src/gateway/rules/parse.ts'
import { hostRule } from '../../../src/gateway/rules/rule.ts'
import type { RoutedRequest, Rule } from '../../../src/gateway/rules/rule.ts'
import { request } from './rules/request.ts'

type Named = Routable & { readonly text: string }

const HOSTS = ['a.test', 'x.a.test', 'y.x.a.test', 'b.test', 'x.b.test', 'localhost']
const PATHS = ['/', '/a', '/ab', '/a/b', '/b', '/abc/d', '/A']

/** Routes in order of rank, their priority the length of the rule as the caller computes it. */
function routesOf (...rules: (string | [text: string, priority: number])[]): Named[] {
  return rules.map((given, rank) => {
    const [text, priority] = typeof given === 'string' ? [given, given.length] : given
    return { text, rule: parseRule(text), priority, rank }
  })
}

await t.test('who names a host comes before who covers it, and that before who says nothing of hosts, whatever the priority', async (t) => {
  const router = createRouter(routesOf(
    ['PathPrefix(`/`)', 1_000_000], ['Host(`*.a.test`)', 1_000], ['HostRegexp(`.*`) && PathPrefix(`/long/long/long`)', 2_000], 'Host(`x.a.test`)', '!Host(`y.a.test`)'
  ))
  t.equal(router.find(request('x.a.test/'))?.text, 'Host(`x.a.test`)')
  t.equal(router.find(request('y.a.test/'))?.text, 'Host(`*.a.test`)')
  t.equal(router.find(request('y.a.test/long/long/long'))?.text, 'HostRegexp(`.*`) && PathPrefix(`/long/long/long`)')
  t.equal(router.find(request('other.test/'))?.text, 'PathPrefix(`/`)')
  t.equal(router.find(request('/'))?.text, 'PathPrefix(`/`)')
})

await t.test('a branch that names no host earns nothing by another branch that does', async (t) => {
  const router = createRouter(routesOf(['Host(`b.test`) || PathPrefix(`/`)', 1_000_000], 'Host(`a.test`)', ['(Host(`a.test`) && Path(`/own`)) || Method(`GET`)', 500]))
  t.equal(router.find(request('a.test/'))?.text, 'Host(`a.test`)')
  t.equal(router.find(request('a.test/own'))?.priority, 500)
  t.equal(router.find(request('b.test/'))?.priority, 1_000_000)
})

await t.test('of those that name the host the higher priority wins, then the lower rank', async (t) => {
  const router = createRouter(routesOf('Host(`a.test`)', 'Host(`a.test`) && PathPrefix(`/api`)', 'Host(`a.test`) && PathPrefix(`/api/v2`)', ['Host(`a.test`) && Path(`/api/v2/x`)', 1], 'Host(`A.test`)'))
  t.equal(router.find(request('a.test/'))?.rank, 0)
  t.equal(router.find(request('a.test/apifoo'))?.rank, 1)
  t.equal(router.find(request('a.test/api/v2/x'))?.rank, 2)
  t.equal(router.find(request('a.test//%61pi/v2'))?.rank, 2)
  t.equal(createRouter(routesOf('Host(`a.test`)', ['Host(`a.test`) && Path(`/x`)', 1])).find(request('a.test/x'))?.rank, 0)
})

await t.test('what no route takes finds none', async (t) => {
  t.equal(createRouter([]).find(request('a.test/')), undefined)
  const router = createRouter(routesOf('Host(`a.test`) && Method(`PUT`)', 'Host(`*.a.test`) && Path(`/x`)', 'Host(`a.test`) && Host(`b.test`)'))
  for (const url of ['a.test/', 'b.test/', 'x.a.test/', `${'x.'.repeat(5000)}a.test/`, '/', '.a.test/x', '.']) t.equal(router.find(request(url)), undefined, url)
})

await t.test('paths that share beginnings are told apart', async (t) => {
  const paths = ['/', '/a', '/ab', '/abc', '/abd', '/b', '/abcdef', '/é', '/ab/']
  const router = createRouter(routesOf(...paths.flatMap((path) => [`Host(\`h\`) && PathPrefix(\`${path}\`)`, `Path(\`${path}\`) && Host(\`h\`) && Method(\`POST\`)`])))
  for (const path of [...paths, '/abcd', '/abx', '/x', '/%C3%A9/', '/abcdefg']) {
    const longest = paths.filter((prefix) => decodeURIComponent(path).startsWith(prefix)).sort((one, other) => other.length - one.length)[0]
    t.equal(router.find(request(`h${path}`))?.text, `Host(\`h\`) && PathPrefix(\`${longest}\`)`, path)
  }
  t.equal(router.find(request('h/ab', { method: 'POST' }))?.text, 'Path(`/ab`) && Host(`h`) && Method(`POST`)')
})

await t.test('candidates are every route whose hosts fit, in order, with what fails', async (t) => {
  const router = createRouter(routesOf(
    ['PathPrefix(`/`)', 900], 'Host(`a.test`) && PathPrefix(`/api`) && Method(`PUT`)', 'Host(`a.test`)', 'Host(`b.test`)', 'HostRegexp(`^a`) && !Method(`GET`)', 'HostRegexp(`^b`)', '!Host(`a.test`)'
  ))
  t.same(router.candidates(request('a.test/api')).map(({ route, tier, failures }) => [route.text, tier, failures]), [
    ['Host(`a.test`) && PathPrefix(`/api`) && Method(`PUT`)', 'named', ['Method(`PUT`)']],
    ['Host(`a.test`)', 'named', []],
    ['HostRegexp(`^a`) && !Method(`GET`)', 'pattern', ['!Method(`GET`)']],
    ['PathPrefix(`/`)', 'open', []]
  ])
})

await t.test('routes of the same hosts that are made without text are found', async (t) => {
  const router = createRouter([{ rule: hostRule('a.localhost', 'b.localhost'), priority: 1, rank: 0 }])
  t.ok(router.find(request('b.localhost/x')))
})

await t.test('the index finds what a look at every route finds', async (t) => {
  const random = createRandom(20_260_101)
  let found = 0
  for (let round = 0; round < 400; round++) {
    const routes = Array.from({ length: 1 + Math.floor(random() * 25) }, (_, rank): Named => {
      const text = randomRule(random, 3)
      return { text, rule: parseRule(text), priority: random() < 0.2 ? Math.floor(random() * 5) : text.length, rank }
    })
    const router = createRouter(routes)
    for (let count = 0; count < 25; count++) {
      const wanted = randomRequest(random)
      const expected = scan(routes, wanted)
      const first = count % 5 === 0 ? router.candidates(wanted).find(({ failures }) => failures.length === 0)?.route : expected
      if (expected !== undefined) found++
      if (router.find(wanted) === expected && first === expected) continue
      t.fail(`${JSON.stringify(wanted)} finds ${router.find(wanted)?.text}, first candidate ${first?.text}`, { expected: expected?.text, routes: routes.map(({ text, priority }) => `${priority} ${text}`) })
      return
    }
  }
  t.ok(found > 3_000 && found < 9_900, `${found} of 10000 requests found a route`)
})

/** The definition of precedence, without any index. */
function scan (routes: readonly Named[], wanted: RoutedRequest): Named | undefined {
  return routes
    .filter(({ rule }) => isMatch(rule, wanted))
    .sort((one, other) => tierOf(one.rule, wanted) - tierOf(other.rule, wanted) || other.priority - one.priority || one.rank - other.rank)[0]
}

/** 0 for a rule that is true by naming the host, 1 by a pattern, 2 otherwise: the best of a true "or", the best of the parts of an "and". */
function tierOf (rule: Rule, wanted: RoutedRequest): number {
  if (rule.kind === 'any') return Math.min(...rule.rules.filter((part) => isMatch(part, wanted)).map((part) => tierOf(part, wanted)), 2)
  if (rule.kind === 'all') return Math.min(...rule.rules.map((part) => tierOf(part, wanted)), 2)
  if (rule.kind === 'host') return 0
  return rule.kind === 'host-wildcard' || rule.kind === 'host-regexp' ? 1 : 2
}

type Random = () => number

/** Mulberry32, so that a failure comes again. */
function createRandom (seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function pick<T> (random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)]!
}

function randomRule (random: Random, depth: number): string {
  const shape = random()
  if (depth === 0 || shape < 0.4) return randomMatcher(random)
  if (shape < 0.5) return `!(${randomRule(random, depth - 1)})`
  const parts = Array.from({ length: 2 + Math.floor(random() * 2) }, () => `(${randomRule(random, depth - 1)})`)
  return parts.join(shape < 0.8 ? ' && ' : ' || ')
}

function randomMatcher (random: Random): string {
  return pick(random, [
    () => `Host(\`${pick(random, HOSTS)}\`)`,
    () => `Host(\`${pick(random, HOSTS)}\`, \`${pick(random, ['*.a.test', 'b.test'])}\`)`,
    () => `Host(\`${pick(random, ['*.a.test', '**.a.test', '*.b.test', '**.test', '*.test'])}\`)`,
    () => pick(random, ['HostRegexp(`^x`)', 'HostRegexp(`{s}.b.test`)', 'HostRegexp(`a`)', 'HostRegexp(`^(x|y\\.x)\\.A\\.test$`)', 'HostRegexp(`^x|\\.b\\.test$`)', 'HostRegexp(`\\.test$`)']),
    () => `PathPrefix(\`${pick(random, PATHS)}\`)`,
    () => `PathPrefix(\`${pick(random, PATHS)}\`, \`${pick(random, PATHS)}\`)`,
    () => `Path(\`${pick(random, PATHS)}\`)`,
    () => pick(random, ['PathRegexp(`b`)', 'Method(`GET`)', 'Query(`q`)', 'Header(`X-A`, `1`)', 'ClientIP(`10.0.0.0/8`)'])
  ])()
}

function randomRequest (random: Random): RoutedRequest {
  return request(`${pick(random, [...HOSTS, '', 'z.y.x.a.test', 'test'])}${pick(random, [...PATHS, '/ab/c', '/%61', '//a', '/abc/d/e'])}${pick(random, ['', '?q'])}`, {
    method: pick(random, ['GET', 'POST']),
    headers: random() < 0.5 ? { 'x-a': '1' } : {},
    clientAddress: pick(random, ['10.0.0.1', '127.0.0.1', '::ffff:10.0.0.1'])
  })
}
