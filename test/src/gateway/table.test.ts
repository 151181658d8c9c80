import t from 'tap'
import { isExposed } from '../../../src/gateway/exposure.ts'
import type { RoutedContainer } from '../../../src/gateway/routed-container.ts'
import { staticClaims } from '../../../src/gateway/static-claims.ts'
import { urlsOf } from '../../../src/gateway/route-urls.ts'
import { buildTable } from '../../../src/gateway/table.ts'
import type { Table, TableOptions } from '../../../src/gateway/table.ts'
import { composeLabels, routedContainer as container } from '../../support/routed-container.ts'

const compose = (name: string, given: Partial<RoutedContainer> = {}) => container(name, { ...given, labels: composeLabels('shop', 'web') })
const build = (containers: RoutedContainer[], options: Partial<TableOptions> = {}) => buildTable(containers, { domain: 'localhost', ...options })
const find = (table: Table, host: string, path = '/', method = 'GET') => table.find({ method, host, path, query: '', headers: {}, clientAddress: '127.0.0.1' })
const keysAt = (table: Table, host: string, path?: string) => find(table, host, path)?.service.members.map(({ key }) => key)
const problemsOf = (table: Table, id: string) => table.routes.find((route) => route.id === id)?.problems

t.test('each port of a container with several has a host, the main one the plain name', async (t) => {
  const web = container('web', { ports: [8080, 9000] })
  const table = build([web])
  t.same(keysAt(table, 'web.localhost'), [`${web.id}:8080`])
  t.same(keysAt(table, '8080-web.localhost'), [`${web.id}:8080`])
  t.same(keysAt(table, '9000-web.localhost'), [`${web.id}:9000`])
})

t.test('replicas of a compose service form one pool beside their own names', async (t) => {
  const [one, two] = [compose('shop-web-1'), compose('shop-web-2')]
  const table = build([two, one])
  t.same(keysAt(table, 'web-shop.localhost'), [`${one.id}:80`, `${two.id}:80`])
  t.same(keysAt(table, 'shop-web-1.localhost'), [`${one.id}:80`])
})

t.test('a replica that dockAPI made is in the pool of its original, and has a name of its own', async (t) => {
  const web = container('web')
  const replica = container('web-2', { labels: { 'dockapi.replica_of': web.id, 'dockapi.name': 'web' } })
  const table = build([replica, web])
  t.same(keysAt(table, 'web.localhost'), [`${web.id}:80`, `${replica.id}:80`])
  t.same(keysAt(table, 'web-2.localhost'), [`${replica.id}:80`])
  t.equal(table.byContainer.get(replica.id)?.hosts[0], 'web-2.localhost')
})

t.test('the oldest claimant keeps a host, in whatever order they are given, and the later one says why it has none', async (t) => {
  const [old, young] = [container('my_app'), container('my-app')]
  for (const given of [[old, young], [young, old]]) {
    const table = build(given)
    t.same(keysAt(table, 'my-app.localhost'), [`${old.id}:80`])
    t.match(table.byContainer.get(young.id), { hosts: [], rule: undefined, problems: [/my-app\.localhost belongs to "my_app", which is older/] })
  }
})

t.test('S17: no spelling of a host takes it from the container that has it, and no pattern does', async (t) => {
  const app = container('app')
  const shown = container('shown', { labels: { 'dockapi.rule': 'Host(`xn--bcher-kva.example`)' } })
  const rules = ['Host(`APP.localhost`)', 'Host(`app.localhost.`)', 'Host(`APP.LOCALHOST.`)', 'Host(`*.localhost`)', 'Host(`**.localhost`)', 'HostRegexp(`^app`)', 'Host(`XN--BCHER-KVA.example.`)']
  const later = rules.map((rule, index) => container(`later-${index}`, { labels: { 'dockapi.rule': rule, 'dockapi.priority': '1000000' } }))
  for (const given of [[app, shown, ...later], [...later, shown, app]]) {
    const table = build(given)
    for (const [host, { id }] of [['app.localhost', app], ['xn--bcher-kva.example', shown]] as const) t.same(keysAt(table, host), [`${id}:80`], host)
  }
  const odd = ['Host(`bücher.example`)', 'Host(`app.localhost:80`)', 'Host(`http://app.localhost`)', 'Host(`app.localhost/x`)', 'Host(`a b`)', 'Host(``)', 'Host(`..`)', 'Host(`app.localhost..`)', 'Host(`app\u200b.localhost`)']
  for (const rule of odd) t.match(build([container('odd', { labels: { 'dockapi.rule': rule } })]).routes, [{ rule: undefined, hosts: [], problems: [/cannot be read/] }], rule)
})

t.test('S17: no label claims an address, unless it is one for all; a rule of the API may', async (t) => {
  const labelled = (rule: string) => container('sly', { labels: { 'dockapi.rule': rule } })
  for (const [host, rule] of [['127.0.0.1', 'Host(`127.0.0.1`)'], ['192.168.1.10', 'Host(`192.168.1.10`) || Host(`sly.example`)'], ['::1', 'Host(`[::1]`)']] as const) {
    const given = [labelled(rule)]
    const table = build(given)
    t.equal(find(table, host), undefined, host)
    t.match(table.routes[0]?.problems, [/is the machine's own, and no container's/])
    t.same(keysAt(build(given, { sharedHosts: [host] }), host), [`${given[0]!.id}:80`])
    t.same(keysAt(build(given, { overrides: new Map([[table.routes[0]!.id, { rule }]]) }), host), [`${given[0]!.id}:80`])
  }
  t.ok(find(build([labelled('Host(`192.168.1.10`) || Host(`sly.example`)')]), 'sly.example'), 'what is a name is its own')
})

t.test('S17: no container gets a host of the API', async (t) => {
  const table = build([container('api'), container('sly', { labels: { 'dockapi.rule': 'Host(`API.localhost.`)' } })], { reservedHosts: ['API.localhost'] })
  t.equal(find(table, 'api.localhost'), undefined)
})

t.test('labels: a rule takes the place of the default hosts, path and priority decide below one host', async (t) => {
  const front = container('front', { labels: { ...composeLabels('pinko', 'front'), 'dockapi.rule': 'Host(`pinko.localhost`)' } })
  const back = container('back', { labels: { ...composeLabels('pinko', 'back'), 'dockapi.rule': 'Host(`pinko.localhost`) && PathPrefix(`/api`)', 'dockapi.port': '5252' } })
  const table = build([front, back])
  t.same(keysAt(table, 'pinko.localhost', '/api/hello'), [`${back.id}:5252`])
  t.same(keysAt(table, 'pinko.localhost', '/'), [`${front.id}:80`])
  t.equal(find(table, 'front.localhost'), undefined, 'what the rule would check is not passed by')
})

t.test('containers of one project share its services; a stranger of the same names gets nothing of theirs', async (t) => {
  const labels = { 'traefik.http.routers.web.rule': 'Host(`shop.example`)', 'traefik.http.services.web.loadbalancer.server.port': '8080' }
  const [one, two] = [container('one', { labels: { ...composeLabels('shop', 'web'), ...labels } }), container('two', { labels: { ...composeLabels('shop', 'web'), ...labels } })]
  const stranger = container('stranger', { labels })
  const table = build([one, two, stranger])
  t.same(keysAt(table, 'shop.example'), [`${one.id}:8080`, `${two.id}:8080`])
  t.match(table.routes.find(({ service }) => service.members.some(({ container: { id } }) => id === stranger.id)), { rule: undefined, hosts: [], problems: [/belongs to "web"/] })
})

t.test('no priority, pattern or open rule of a stranger takes what an older container answers', async (t) => {
  const old = container('old', { labels: { 'dockapi.rule': 'HostRegexp(`^.+\\.wild\\.example$`)' } })
  const mine = container('mine', { labels: { 'dockapi.rule': 'Host(`mine.example`)' } })
  const hostile = ['PathPrefix(`/`)', 'HostRegexp(`.+`)', 'Host(`mine.example`) && PathPrefix(`/login`)', 'HostRegexp(`.+`) || Host(`mine.example`)', '!Host(`nobody.example`)']
    .map((rule, index) => container(`hostile-${index}`, { labels: { 'dockapi.rule': rule, 'dockapi.priority': '999999' } }))
  const table = build([old, mine, ...hostile])
  t.same(keysAt(table, 'mine.example', '/login'), [`${mine.id}:80`])
  t.same(keysAt(table, 'a.wild.example'), [`${old.id}:80`])
  t.ok(find(table, 'unclaimed.example'), 'what nobody claims is free')
  const partly = container('partly', { labels: { 'dockapi.rule': 'Host(`partly.example`) && Path(`/only`)' } })
  t.equal(find(build([partly, ...hostile]), 'partly.example', '/other'), undefined, 'what an owner does not answer is nobody\'s')
})

t.test('hosts that are shared by setting: paths of several owners', async (t) => {
  const [app, grafana] = [container('app', { labels: { 'dockapi.rule': 'Host(`home.example`)' } }), container('grafana', { labels: { 'dockapi.rule': 'Host(`home.example`) && PathPrefix(`/grafana`)' } })]
  t.same(keysAt(build([app, grafana]), 'home.example', '/grafana'), [`${app.id}:80`])
  t.same(keysAt(build([app, grafana], { sharedHosts: ['Home.example'] }), 'home.example', '/grafana'), [`${grafana.id}:80`])
})

t.test('a rule that cannot be read routes nothing, says where and what was meant, and leaves the container its other routes', async (t) => {
  const web = container('web', { labels: { 'dockapi.routes.bad.rule': 'Hots(`a.example`)', 'dockapi.routes.good.rule': 'Host(`b.example`)' } })
  const table = build([web])
  t.match(problemsOf(table, 'bad@docker'), [/cannot be read at character 1.*did you mean Host/])
  t.same(keysAt(table, 'b.example'), [`${web.id}:80`])
})

t.test('a middleware that is not defined blocks its route and says what to do; one of the API is found, chains are taken apart', async (t) => {
  const secured = container('secured', { labels: { 'dockapi.rule': 'Host(`secured.example`)', 'dockapi.middlewares': 'atuh@file, all@api' } })
  const sources = { api: new Map([['all', { chain: { middlewares: ['strip', 'loop'] } }], ['strip', { strip_prefix: { prefixes: ['/a'] } }], ['loop', { chain: { middlewares: ['loop'] } }]]), file: new Map([['auth', { compress: {} }]]) }
  const route = find(build([secured], { middlewares: sources }), 'secured.example')
  t.match(route?.middlewares, [{ reference: 'atuh@file', definition: undefined }, { key: 'api/strip', definition: { strip_prefix: {} } }, { definition: undefined }])
  t.match(route?.problems, [/"atuh@file" is not defined.*Did you mean auth/, /deeper than 8/])
})

t.test('own middlewares are each container\'s, whatever others of its project call theirs', async (t) => {
  const strip = (service: string, prefix: string) => container(service, { labels: { ...composeLabels('shop', service), 'dockapi.rule': `Host(\`${service}.example\`)`, 'dockapi.strip_prefix': prefix } })
  const table = build([strip('one', '/one'), strip('two', '/two')])
  t.match(find(table, 'one.example')?.middlewares, [{ definition: { strip_prefix: { prefixes: ['/one'] } } }])
  t.match(find(table, 'two.example')?.middlewares, [{ definition: { strip_prefix: { prefixes: ['/two'] } } }])
})

t.test('S11: a service that names another\'s address is not followed', async (t) => {
  const sly = container('sly', { labels: { 'traefik.http.routers.sly.rule': 'Host(`sly.example`)', 'traefik.http.services.sly.loadbalancer.server.url': 'http://169.254.169.254/' } })
  const table = build([sly])
  t.same(keysAt(table, 'sly.example'), [`${sly.id}:80`])
  t.match(problemsOf(table, 'sly@docker'), [/not an address of "sly"/])
})

t.test('routes of the API come first, to servers and to containers; overrides change what labels say', async (t) => {
  const web = container('web')
  const other = container('other')
  const options: Partial<TableOptions> = {
    staticClaims: (containers) => staticClaims([
      { name: 'nas', rule: 'Host(`nas.localhost`)', upstreams: [{ url: 'http://192.0.2.1:5000' }, { url: 'https://192.0.2.2' }] },
      { name: 'taken', rule: 'Host(`web.localhost`)', service: 'other', port: 80 }
    ], containers),
    overrides: new Map([['web@docker', { rule: 'Host(`new.localhost`)', priority: 7 }], ['other@docker', { enabled: false }]])
  }
  const table = build([web, other], options)
  t.match(find(table, 'nas.localhost')?.service.members.map(({ address }) => address), [{ upstream: { host: '192.0.2.1', port: 5000, scheme: 'http' } }, { upstream: { host: '192.0.2.2', port: 443, scheme: 'https' } }])
  t.same(keysAt(table, 'web.localhost'), [`${other.id}:80`])
  t.match(find(table, 'new.localhost'), { id: 'web@docker', priority: 7, isOverridden: true, service: { members: [{ key: `${web.id}:80` }] } })
  t.equal(find(table, 'other.localhost'), undefined)
  t.match(problemsOf(table, 'other@docker'), ['The API switched it off.'])
})

t.test('of two routes alike of one container the one for TLS is taken: the other often only redirects', async (t) => {
  const rule = 'Host(`both.example`)'
  const both = container('both', { labels: { 'traefik.http.routers.a.rule': rule, 'traefik.http.routers.a.middlewares': 'to-https', 'traefik.http.middlewares.to-https.redirectscheme.scheme': 'https', 'traefik.http.routers.b.rule': rule, 'traefik.http.routers.b.tls': 'true' } })
  t.equal(find(build([both]), 'both.example')?.name, 'b')
})

t.test('the state of a member is what the engine tells', async (t) => {
  const states: Array<[Partial<RoutedContainer>, string]> = [
    [{}, 'up'],
    [{ isOpen: false }, 'opening'],
    [{ health: 'healthy', isOpen: false }, 'up'],
    [{ health: 'starting' }, 'starting'],
    [{ health: 'unhealthy' }, 'unhealthy'],
    [{ isDraining: true }, 'draining'],
    [{ status: 'paused' }, 'paused'],
    [{ status: 'exited' }, 'down'],
    [{ addresses: new Map([[80, { problem: 'It cannot.' }]]) }, 'unreachable']
  ]
  for (const [given, state] of states) {
    const [route] = build([container('web', given)]).routes
    t.match({ state: route?.service.members[0]?.state, hosts: route?.hosts }, { state, hosts: ['web.localhost'] }, state)
  }
})

t.test('exposed are those that dockAPI made or that opted in, or all; never one that opted out', async (t) => {
  for (const labels of [{ 'dockapi.managed': 'true' }, { 'dockapi.enable': 'true' }, { 'traefik.enable': 'true' }]) t.ok(isExposed(labels, 'managed'))
  t.notOk(isExposed({}, 'managed'))
  t.ok(isExposed({}, 'all'))
  for (const labels of [{ 'dockapi.enable': 'false', 'dockapi.managed': 'true' }, { 'traefik.enable': 'false' }]) t.notOk(isExposed(labels as Record<string, string>, 'all'))
})

t.end()

t.test('the URLs of a route lead to it: with the path that its rule asks for', async (t) => {
  const urls = (rule: string, port = 8080) => urlsOf(build([container('web', { labels: { 'dockapi.rule': rule } })], { sharedHosts: ['::1'] }).routes[0]!, port)
  t.same(urls('Host(`a.test`)'), ['http://a.test:8080/'])
  t.same(urls('Host(`a.test`)', 80), ['http://a.test/'])
  t.same(urls('Host(`a.test`) && PathPrefix(`/api`)'), ['http://a.test:8080/api'])
  t.same(urls('(Host(`a.test`) && Path(`/one two`)) || Host(`b.test`)'), ['http://a.test:8080/one%20two', 'http://b.test:8080/'])
  t.same(urls('Host(`a.test`) && (Path(`/api`) || PathPrefix(`/api/`))'), ['http://a.test:8080/api'])
  t.same(urls('Host(`[::1]`) && !Path(`/api`)'), ['http://[::1]:8080/'])
  t.same(urls('PathPrefix(`/api`)'), [])
})

t.test('a slip in a rule is told once, with what was meant', async (t) => {
  const problemOf = (rule: string) => build([container('web', { labels: { 'dockapi.rule': rule } })]).routes[0]?.problems
  t.same(problemOf('Hots(`a.test`)'), ['The rule cannot be read at character 1: There is no matcher "Hots"; did you mean Host?'])
  t.same(problemOf('Host(`http://a.test/`)'), ['The rule cannot be read at character 6: "http://a.test/" is more than a host; write only its name, and paths with PathPrefix. Did you mean a.test?'])
})
