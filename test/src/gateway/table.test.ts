import t from 'tap'
import { isExposed } from '../../../src/gateway/exposure.ts'
import { buildTable } from '../../../src/gateway/table.ts'
import type { RoutedContainer } from '../../../src/gateway/routed-container.ts'

let count = 0

function container (name: string, given: Partial<RoutedContainer> = {}): RoutedContainer {
  const id = `${name}-${++count}`
  const ports = given.ports ?? [80]
  return {
    id,
    name,
    labels: {},
    createdAt: `2026-01-01T00:00:${String(count % 60).padStart(2, '0')}Z`,
    run: 'first',
    status: 'running',
    health: undefined,
    stopSignal: undefined,
    mainPort: ports[0] ?? null,
    ports,
    addresses: new Map(ports.map((port) => [port, { upstream: { containerId: id, scheme: 'http', host: '127.0.0.1', port, reason: 'the test says so' } }] as const)),
    isOpen: true,
    isDraining: false,
    ...given
  }
}

const compose = (name: string, given: Partial<RoutedContainer> = {}) => container(name, { ...given, labels: { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' } })
const hostsOf = (containers: RoutedContainer[], reservedHosts: string[] = []) => Object.fromEntries([...buildTable(containers, { domain: 'localhost', reservedHosts }).byHost].map(([host, { members }]) => [host, members.map(({ key }) => key)]))

await t.test('each port of a container with several has a host, the main one the plain name', async (t) => {
  const web = container('web', { ports: [8080, 9000] })
  t.same(hostsOf([web]), { 'web.localhost': [`${web.id}:8080`], '8080-web.localhost': [`${web.id}:8080`], '9000-web.localhost': [`${web.id}:9000`] })
})

await t.test('replicas of a compose service form one pool beside their own names', async (t) => {
  const [one, two] = [compose('shop-web-1'), compose('shop-web-2')]
  t.same(hostsOf([two, one]), { 'shop-web-1.localhost': [`${one.id}:80`], 'web-shop.localhost': [`${one.id}:80`, `${two.id}:80`], 'shop-web-2.localhost': [`${two.id}:80`] })
})

await t.test('the oldest claimant keeps a host, in whatever order they are given, and the later one says why it has none', async (t) => {
  const [old, young] = [container('my_app'), container('my-app')]
  for (const given of [[old, young], [young, old]]) {
    const table = buildTable(given, { domain: 'localhost' })
    t.equal(table.byHost.get('my-app.localhost')?.members[0]?.container.id, old.id)
    const refused = table.byContainer.get(young.id)
    t.match(refused, { hosts: [], problems: ['The host my-app.localhost belongs to "my_app", which is older.'] })
  }
})

await t.test('no container gets a host of the API', async (t) => {
  t.same(hostsOf([container('api')], ['API.localhost']), {})
})

await t.test('only members that are up take requests; those that open, when no other does', async (t) => {
  const states: Array<[Partial<RoutedContainer>, string, number]> = [
    [{}, 'up', 1],
    [{ isOpen: false }, 'opening', 1],
    [{ health: 'healthy', isOpen: false }, 'up', 1],
    [{ health: 'starting' }, 'starting', 0],
    [{ health: 'unhealthy' }, 'unhealthy', 0],
    [{ isDraining: true }, 'draining', 0],
    [{ status: 'paused' }, 'paused', 0],
    [{ status: 'exited' }, 'down', 0],
    [{ addresses: new Map([[80, { problem: 'It cannot.' }]]) }, 'unreachable', 0]
  ]
  for (const [given, state, ready] of states) {
    const [route] = buildTable([container('web', given)], { domain: 'localhost' }).routes
    t.match({ state: route?.members[0]?.state, ready: route?.ready.length, hosts: route?.hosts }, { state, ready, hosts: ['web.localhost'] }, state)
  }
  const pool = buildTable([compose('a'), compose('b', { isOpen: false })], { domain: 'localhost' }).byHost.get('web-shop.localhost')
  t.same(pool?.ready.map(({ container }) => container.name), ['a'])
})

await t.test('exposed are those that dockAPI made or that opted in, or all; never one that opted out', async (t) => {
  for (const labels of [{ 'dockapi.managed': 'true' }, { 'dockapi.enable': 'true' }, { 'traefik.enable': 'true' }]) t.ok(isExposed(labels, 'managed'))
  t.notOk(isExposed({}, 'managed'))
  t.ok(isExposed({}, 'all'))
  for (const labels of [{ 'dockapi.enable': 'false', 'dockapi.managed': 'true' }, { 'traefik.enable': 'false' }]) t.notOk(isExposed(labels as Record<string, string>, 'all'))
})
