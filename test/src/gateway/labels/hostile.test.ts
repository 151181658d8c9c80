import t from 'tap'
import { createPatternCheck } from '../../../../src/gateway/labels/patterns.ts'
import { readDeclarations } from '../../../../src/gateway/labels/read.ts'

const read = (labels: Record<string, string>, environment: string[] = []) => readDeclarations({ name: 'box', labels, environment })

await t.test('names that mean something in JavaScript are refused, wherever they stand', async (t) => {
  for (const name of ['__proto__', 'constructor', 'prototype', 'Constructor']) {
    const labels = JSON.parse(`{"traefik.http.routers.${name}.rule": "Path(\`/\`)", "traefik.http.services.${name}.loadbalancer.server.port": "80", "traefik.http.middlewares.${name}.compress": "true",
      "traefik.http.middlewares.m.headers.customrequestheaders.${name}": "x", "dockapi.routes.${name}.port": "80", "dockapi.${name}": "x", "traefik.${name}": "x"}`) as Record<string, string>
    const declarations = read(labels)
    t.same([declarations.routes, declarations.services, declarations.middlewares], [[], [], []], name)
    t.equal(declarations.problems.length, 7)
  }
  t.equal(({} as Record<string, unknown>).port, undefined)
})

await t.test('at most 256 of a kind are read, each of them whole, and at most a hundred problems told', async (t) => {
  const labels: Record<string, string> = {}
  for (let number = 0; number < 2000; number++) {
    labels[`traefik.http.routers.r${number}.rule`] = 'Path(`/`)'
    labels[`traefik.http.routers.r${number}.middlewares`] = 'auth'
    labels[`traefik.http.services.s${number}.loadbalancer.server.port`] = '80'
    labels[`traefik.http.middlewares.m${number}.compress`] = 'true'
    labels[`dockapi.routes.d${number}.port`] = '80'
  }
  const { routes, services, middlewares, problems } = read(labels, [`VIRTUAL_HOST=${Array.from({ length: 2000 }, (_, number) => `h${number}.test`).join(',')}`])
  t.equal(routes.length, 256 * 3)
  t.equal(services.length, 256 * 2 + 1)
  t.equal(middlewares.length, 256)
  t.ok(routes.every(({ name, middlewares }) => !name.startsWith('r') || middlewares.length === 1))
  t.equal(problems.length, 101)
  t.match(problems[100]?.message, /^\d+ more problems/)
})

await t.test('long names and values are refused, and told in short', async (t) => {
  const long = 'x'.repeat(1_000_000)
  const { routes, problems } = read({ [`traefik.http.routers.${long}.rule`]: 'Path(`/`)', 'traefik.http.routers.a.rule': long, 'traefik.http.routers.a.priority': long, [`dockapi.${long}`]: '1', [`dockapi.${'x'.repeat(500)}`]: '1' })
  t.match(routes, [{ name: 'a', rule: undefined }])
  t.equal(problems.length, 5)
  t.ok(JSON.stringify(problems).length < 5000)
})

await t.test('expressions that take long to compile are refused: no more are tried than a container may cost', async (t) => {
  for (const pattern of ['(a{30}){30}', '\\pL'.repeat(340), 'a{1000}']) {
    const labels = Object.fromEntries(Array.from({ length: 256 }, (_, number) => [`traefik.http.middlewares.m${number}.stripprefixregex.regex`, Array(100).fill(pattern).join(',')]))
    const { middlewares, problems } = read(labels, [`VIRTUAL_HOST=~${pattern}`])
    t.ok(middlewares.every(({ middleware }) => middleware === undefined), pattern.slice(0, 12))
    t.match(problems[0]?.message, /too many or repeat too much/)
    t.equal(createPatternCheck()(pattern), undefined, 'one of them is no harm')
  }
  const check = createPatternCheck()
  const usual = Array.from({ length: 100 }, (_, number) => `^https?://www\\.example${number}\\.com/([0-9]{1,3})/(.*)$`)
  t.same(usual.filter((pattern) => check(pattern) !== undefined).length, 0, 'a hundred that are usual are no harm either')
})

await t.test('control characters do not get into problems', async (t) => {
  const { problems } = read({ 'traefik.http.routers.a.priority': '\u001b[31m1\u202e', 'dockapi.\u001bx': '1', 'traefik.http.routers.a\u0007.rule': 'x' })
  t.equal(problems.length, 3)
  // eslint-disable-next-line no-control-regex -- that is what is looked for
  t.notMatch(problems.map(({ label, message }) => label + message).join(), /[\u0000-\u001f\u202e]/)
})

await t.test('odd labels are no end of anything', async (t) => {
  const odd = ['traefik', 'traefik.', 'traefik..', 'traefik.http', 'traefik.http.', 'traefik.http.routers', 'traefik.http.routers.', 'traefik.http.routers..', 'traefik.http.routers..rule', 'traefik.http.routers.a', 'traefik.http.routers.a.',
    'traefik.http.middlewares.a.', 'traefik.http.middlewares.a..', 'traefik.http.services.a.', 'dockapi', 'dockapi.', 'dockapi..', 'dockapi.routes', 'dockapi.routes.', 'dockapi.routes.a', 'dockapi.routes.a.', 'dockapi.health', 'dockapi.health.headers', '', '.', 'TRAEFIK.HTTP.ROUTERS.a.TLS.']
  for (const label of odd) {
    for (const value of ['', 'true', ',', '\0', '💥']) t.doesNotThrow(() => read({ [label]: value }), `${label}=${value}`)
  }
  t.doesNotThrow(() => read(Object.fromEntries(odd.map((label) => [label, 'true'])), odd.map((label) => `${label}=x`)))
})

await t.test('the outcome does not depend on the order in which the engine lists labels', async (t) => {
  const labels = { 'traefik.http.routers.b.rule': '1', 'traefik.http.routers.a.rule': '2', 'traefik.http.services.b.loadbalancer.server.port': '1', 'traefik.http.services.a.loadbalancer.server.port': '2', 'dockapi.routes.z.port': '3', 'dockapi.routes.y.port': '4' }
  t.same(read(Object.fromEntries(Object.entries(labels).reverse())), read(labels))
})
