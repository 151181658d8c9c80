import t from 'tap'
import { declaredPort, readDeclarations } from '../../../../src/gateway/labels/read.ts'

const read = (labels: Record<string, string>, environment: string[] = [], name = 'box') => readDeclarations({ name, labels, environment })
const router = (name: string, rest: Record<string, string>) => Object.fromEntries(Object.entries(rest).map(([word, value]) => [`traefik.http.routers.${name}.${word}`, value]))
const service = (name: string, rest: Record<string, string>) => Object.fromEntries(Object.entries(rest).map(([word, value]) => [`traefik.http.services.${name}.loadbalancer.${word}`, value]))

await t.test('a router that names no service leads to the only one, else to the first by name, and that is told', async (t) => {
  t.equal(read({ ...router('r', { rule: 'Path(`/`)' }), ...service('s', { 'server.port': '80' }) }).routes[0]?.service, 's')
  const { routes, problems } = read({ ...router('r', { rule: 'Path(`/`)' }), ...service('b', { 'server.port': '80' }), ...service('a', { 'server.port': '81' }) })
  t.equal(routes[0]?.service, 'a')
  t.match(problems, [{ label: 'traefik.http.routers.r.service', message: /\(a, b\), and the router "r" names none: it leads to "a"/ }])
})

await t.test('without a router several services have one default route, to the first', async (t) => {
  const { routes, services, problems } = read({ ...service('b', { 'server.port': '80' }), ...service('a', { 'server.port': '81' }) })
  t.match(routes, [{ name: 'a', rule: undefined, service: 'a' }])
  t.equal(routes.length, 1)
  t.equal(services.length, 2)
  t.match(problems, [{ message: /no router names none|no router/ }])
})

await t.test('replicas of a compose service share the service that nobody named', async (t) => {
  const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web', ...router('r', { rule: 'Path(`/`)' }) }
  t.equal(read(labels, [], 'shop-web-1').routes[0]?.service, 'web-shop')
  t.equal(read(labels, [], 'shop-web-2').routes[0]?.service, 'web-shop')
})

await t.test('names of labels have no case, names of the user have', async (t) => {
  const { routes, services, problems } = read({ 'Traefik.HTTP.Routers.Web.RULE': 'Path(`/A`)', 'traefik.http.routers.web.Priority': '5', 'traefik.http.routers.web.service': 'app@docker', 'traefik.http.services.App.LoadBalancer.server.Port': '80' })
  t.same(routes, [{ name: 'Web', rule: 'Path(`/A`)', priority: 5, service: 'App', middlewares: [], isTls: false, entrypoints: [] }])
  t.same(services, [{ name: 'App', port: 80, settings: {} }])
  t.same(problems, [])
})

await t.test('of two labels that differ in case only and say different things the first counts', async (t) => {
  const { routes, problems } = read({ 'traefik.http.routers.a.RULE': 'Path(`/1`)', 'traefik.http.routers.a.rule': 'Path(`/2`)' })
  t.equal(routes[0]?.rule, 'Path(`/1`)')
  t.match(problems, [{ label: 'traefik.http.routers.a.rule', message: /same as traefik\.http\.routers\.a\.RULE/ }])
})

await t.test('references are kept as they are written, also those that nobody can follow', async (t) => {
  const references = ['auth', 'auth@file', 'auth@docker', 'auth@swarm', 'odd name']
  t.same(read(router('r', { middlewares: references.join(' , ') })).routes[0]?.middlewares, references)
  for (const reference of ['api@internal', 'other@docker', 'noop@internal', 'x@swarm', 'x@file']) t.equal(read(router('r', { service: reference })).routes[0]?.service, reference)
})

await t.test('TLS is asked for by tls=true or any word below it, unless tls=false', async (t) => {
  const isTls = (rest: Record<string, string>) => read(router('r', rest)).routes[0]?.isTls
  t.equal(isTls({ tls: 'true' }), true)
  t.equal(isTls({ 'tls.certresolver': 'le' }), true)
  t.equal(isTls({ 'tls.domains[0].main': 'a.test' }), true)
  t.equal(isTls({ tls: 'false', 'tls.certresolver': 'le' }), false)
  t.equal(isTls({ rule: 'Path(`/`)' }), false)
})

await t.test('bad values are left out, told with the label, the value and the way to write it', async (t) => {
  const rows: ReadonlyArray<readonly [Record<string, string>, RegExp]> = [
    [router('r', { priority: 'abc' }), /^"abc" cannot be read: write a whole number from/],
    [router('r', { tls: 'maybe' }), /^"maybe" cannot be read: write true or false\.$/],
    [service('s', { 'server.port': '70000' }), /^"70000" cannot be read: write a whole number from 1 to 65535\.$/],
    [service('s', { 'server.scheme': 'h2c' }), /^"h2c" cannot be read: write http or https\.$/],
    [service('s', { strategy: 'hrw' }), /^"hrw" cannot be read: write wrr or p2c\.$/],
    [service('s', { 'server.weight': '0' }), /write a whole number from 1 to 1000/],
    [service('s', { 'server.url': 'nas' }), /write a URL/],
    [service('s', { 'healthcheck.interval': 'often', 'healthcheck.path': '/' }), /write a time such as 10s/],
    [service('s', { 'healthcheck.interval': '10s' }), /path of the probe is missing/],
    [{ 'dockapi.port': '0' }, /write a whole number from 1 to 65535/],
    [{ 'dockapi.strategy': 'random' }, /write round_robin or least_connections/],
    [{ 'dockapi.sticky': 'a;b' }, /write true, false or the name of a cookie/],
    [{ 'dockapi.enable': 'yes' }, /write true or false/],
    [{ 'traefik.enable': 'on' }, /write true or false/]
  ]
  for (const [labels, message] of rows) {
    const { problems } = read(labels)
    t.match(problems, [{ label: Object.keys(labels)[0]!, message }], JSON.stringify(labels))
    t.equal(problems.length, 1)
  }
})

await t.test('a label that is unknown is told, with the one that was probably meant', async (t) => {
  const rows: ReadonlyArray<readonly [string, string | undefined]> = [
    ['traefik.http.routers.r.rul', 'traefik.http.routers.r.rule'],
    ['traefik.http.routers.r.entryPoint', 'traefik.http.routers.r.entrypoints'],
    ['traefik.http.services.s.loadbalancer.server.prot', 'traefik.http.services.s.loadbalancer.server.port'],
    ['traefik.http.services.s.loadbalancer.sticky.cookie.nam', 'traefik.http.services.s.loadbalancer.sticky.cookie.name'],
    ['traefik.http.midlewares.m.compress', 'traefik.http.middlewares.m.compress'],
    ['traefik.htp.routers.r.rule', 'traefik.http.routers.r.rule'],
    ['traefik.enabled', 'traefik.enable'],
    ['traefik.docker.networks', 'traefik.docker.network'],
    ['dockapi.prot', 'dockapi.port'],
    ['dockapi.strip-prefix', 'dockapi.strip_prefix'],
    ['dockapi.health.pth', 'dockapi.health.path'],
    ['dockapi.routes.a.prority', 'dockapi.routes.a.priority'],
    ['dockapi.somethingelse', undefined]
  ]
  for (const [label, suggestion] of rows) {
    t.match(read({ [label]: 'x' }).problems, [{ label, message: 'No such label is known here; it has no effect.', suggestion }], label)
  }
})

await t.test('a slip in "middlewares" still guards the route', async (t) => {
  for (const label of ['traefik.http.routers.r.middleware', 'traefik.http.routers.r.midlewares', 'dockapi.middleware', 'dockapi.routes.r.middlewars']) {
    const { routes, problems } = read({ [label]: 'auth' })
    t.same(routes[0]?.middlewares, ['auth'], label)
    t.match(problems, [{ label, suggestion: /\.middlewares$/ }])
  }
})

await t.test('labels of dockAPI and other programs that say nothing to the gateway are no problem', async (t) => {
  const { problems, routes } = read({ 'dockapi.managed': 'true', 'dockapi.name': 'x', 'dockapi.container_port': '80', 'com.example.port': '1', 'traefikish.a': 'b', 'traefik.tags': 'x', 'traefik.docker.allownonrunning': 'true', 'traefik.tls.stores.default.defaultgeneratedcert.resolver': 'x' })
  t.same(problems, [])
  t.same(routes, [])
})

await t.test('dockapi labels win over Traefik\'s, Traefik\'s over nginx-proxy\'s, and all routes are kept', async (t) => {
  const { isEnabled, network, main, routes, problems } = read({
    'dockapi.enable': 'true',
    'dockapi.network': 'one',
    'dockapi.port': '3000',
    'dockapi.rule': 'Path(`/own`)',
    'traefik.enable': 'false',
    'traefik.docker.network': 'two',
    ...router('r', { rule: 'Path(`/t`)' }),
    ...service('s', { 'server.port': '80', 'server.scheme': 'https' })
  }, ['VIRTUAL_HOST=v.test', 'VIRTUAL_PORT=8080', 'VIRTUAL_PROTO=http'])
  t.same({ isEnabled, network, main }, { isEnabled: true, network: 'one', main: { port: 3000, scheme: 'https' } })
  t.same(routes.map(({ name, rule, service }) => [name, rule, service]), [['r', 'Path(`/t`)', 's'], ['v.test', 'Host(`v.test`)', 's'], ['s', 'Path(`/own`)', 's']])
  t.same(problems.map(({ label, message }) => [label, message]), [
    ['traefik.http.services.s.loadbalancer.server.port', 'dockapi.port says 3000, and that counts.'],
    ['VIRTUAL_PORT', 'dockapi.port says 3000, and that counts.'],
    ['VIRTUAL_PROTO', 'traefik.http.services.s.loadbalancer.server.scheme says https, and that counts.']
  ])
})

await t.test('a port of dockapi replaces the URL of a service', async (t) => {
  const { services, problems } = read({ 'dockapi.port': '3000', ...service('s', { 'server.url': 'http://10.0.0.1:80' }) })
  t.same(services, [{ name: 's', port: 3000, settings: {} }])
  t.match(problems, [{ label: /server\.url$/ }])
})

await t.test('dockapi.service names the pool, for routes of all kinds', async (t) => {
  t.match(read({ 'dockapi.service': 'web' }), { serviceName: 'web', routes: [{ name: 'web', rule: undefined, service: 'web' }], services: [{ name: 'web' }] })
  t.match(read({ 'dockapi.service': 'web', ...router('r', { service: 's' }), ...service('s', { 'server.port': '1' }) }), { routes: [{ service: 'web' }], services: [{ name: 'web', port: 1 }] })
  t.match(read({ 'dockapi.service': 'web' }, ['VIRTUAL_HOST=a.test,b.test']), { routes: [{ name: 'a.test', service: 'web' }, { name: 'b.test', service: 'web' }], services: [{ name: 'web' }] })
})

await t.test('a named route has a service of its own only when it says something of it, and takes the rest over', async (t) => {
  const { routes, services } = read({
    'dockapi.port': '3000',
    'dockapi.pass_host': 'false',
    'dockapi.sticky': 'who',
    'dockapi.routes.admin.rule': 'Host(`admin.test`)',
    'dockapi.routes.admin.port': '9000',
    'dockapi.routes.admin.sticky': 'false',
    'dockapi.routes.api.rule': 'PathPrefix(`/api`)',
    'dockapi.routes.other.service': 'elsewhere'
  })
  t.same(routes.map(({ name, service }) => [name, service]), [['admin', 'box-admin'], ['api', 'box'], ['other', 'elsewhere']])
  t.same(services, [
    { name: 'box-admin', port: 9000, settings: { pass_host: false } },
    { name: 'box', port: 3000, settings: { sticky: { cookie: 'who' }, pass_host: false } }
  ])
})

await t.test('token becomes one too, before all others; only a clear false leaves it out', async (t) => {
  const { routes, middlewares } = read({ 'dockapi.token': 'true', 'dockapi.strip_prefix': '/a', 'dockapi.middlewares': 'auth@file', 'dockapi.routes.x.token': 'ture' })
  t.same(routes.map(({ middlewares }) => middlewares), [['token.x@own'], ['token@own', 'auth@file', 'strip_prefix@own']])
  t.same(middlewares.map(({ name }) => name), ['token@own', 'strip_prefix@own', 'token.x@own'])
  t.same(read({ 'dockapi.token': 'false', 'dockapi.port': '80' }).middlewares, [])
})

await t.test('strip_prefix becomes a middleware that only this container can name, after those that are written', async (t) => {
  const { routes, middlewares } = read({ 'dockapi.rule': 'PathPrefix(`/a`)', 'dockapi.strip_prefix': '/a,/b', 'dockapi.middlewares': 'auth@file', 'dockapi.routes.x.strip_prefix': '/x' })
  t.same(routes.map(({ middlewares }) => middlewares), [['strip_prefix.x@own'], ['auth@file', 'strip_prefix@own']])
  t.same(middlewares, [{ name: 'strip_prefix@own', middleware: { strip_prefix: { prefixes: ['/a', '/b'] } } }, { name: 'strip_prefix.x@own', middleware: { strip_prefix: { prefixes: ['/x'] } } }])
  t.match(read({ 'traefik.http.middlewares.strip_prefix@own.compress': 'true' }), { middlewares: [], problems: [{ message: /without blanks, commas and @/ }] })
})

await t.test('the whole of what plain dockapi labels say of a service', async (t) => {
  const { services, problems } = read({
    'dockapi.port': '1',
    'dockapi.scheme': 'https',
    'dockapi.weight': '3',
    'dockapi.strategy': 'least_connections',
    'dockapi.sticky': 'true',
    'dockapi.pass_host': 'true',
    'dockapi.health.path': '/up',
    'dockapi.health.port': '2',
    'dockapi.health.scheme': 'http',
    'dockapi.health.hostname': 'a.test',
    'dockapi.health.method': 'head',
    'dockapi.health.status': '204',
    'dockapi.health.interval': '5s',
    'dockapi.health.timeout': '500ms',
    'dockapi.health.headers.X-Probe': 'yes',
    'dockapi.health.healthy_threshold': '2',
    'dockapi.health.unhealthy_threshold': '3'
  })
  t.same(problems, [])
  t.same(services, [{
    name: 'box',
    port: 1,
    scheme: 'https',
    weight: 3,
    settings: {
      strategy: 'least_connections',
      sticky: {},
      health: { path: '/up', port: 2, scheme: 'http', hostname: 'a.test', method: 'HEAD', status: 204, interval: 5, timeout: 0.5, headers: { 'X-Probe': 'yes' }, healthy_threshold: 2, unhealthy_threshold: 3 },
      pass_host: true
    }
  }])
})

await t.test('the port of a container is the one that its labels agree on', async (t) => {
  const rows: ReadonlyArray<readonly [Record<string, string>, string[], number | undefined]> = [
    [{}, [], undefined],
    [{ 'dockapi.port': '3000', 'dockapi.routes.a.port': '9000' }, [], 3000],
    [{ 'dockapi.routes.a.port': '9000' }, [], 9000],
    [service('s', { 'server.port': '80' }), ['VIRTUAL_HOST=a', 'VIRTUAL_PORT=81'], 80],
    [{ ...service('a', { 'server.port': '80' }), ...service('b', { 'server.port': '81' }) }, [], undefined],
    [{ ...service('a', { 'server.port': '80' }), ...service('b', { 'server.port': '80' }) }, [], 80],
    [{}, ['VIRTUAL_HOST=a', 'VIRTUAL_PORT=81'], 81],
    [{}, ['VIRTUAL_PORT=81'], undefined]
  ]
  for (const [labels, environment, port] of rows) t.equal(declaredPort({ name: 'box', labels, environment }), port, JSON.stringify(labels))
})
