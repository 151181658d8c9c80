import t from 'tap'
import { resolveUpstream } from '../../../src/containers/address.ts'
import type { Vantage } from '../../../src/containers/vantage.ts'
import type { ContainerDocument } from '../../../src/engine/containers.ts'

const HOST: Vantage = { kind: 'host', canReachContainerAddresses: true }
const DESKTOP: Vantage = { kind: 'host', canReachContainerAddresses: false }
const INSIDE: Vantage = { kind: 'container', id: 'own', networkIds: ['net-b', 'net-c'] }
const REMOTE: Vantage = { kind: 'remote', engineHost: 'engine.example' }

type Options = { status?: string, labels?: Record<string, string>, ports?: Record<string, Array<{ HostIp: string, HostPort: string }> | null>, networks?: Record<string, [string, string]>, mode?: string, exposed?: string[] }

function container ({ status = 'running', labels = {}, ports = {}, networks = { bridge: ['net-a', '172.17.0.2'] }, mode = 'default', exposed = ['80/tcp'] }: Options = {}): ContainerDocument {
  return {
    Id: 'c1',
    Name: '/web',
    State: { Status: status },
    Config: { Labels: labels, ExposedPorts: Object.fromEntries(exposed.map((key) => [key, {}])) },
    HostConfig: { NetworkMode: mode },
    NetworkSettings: { Ports: ports, Networks: Object.fromEntries(Object.entries(networks).map(([name, [id, address]]) => [name, { NetworkID: id, IPAddress: address }])) }
  } as unknown as ContainerDocument
}

const published = { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '49153' }] }

t.test('the published port comes first on the engine\'s machine', async (t) => {
  t.match(resolveUpstream(container({ ports: published }), { vantage: HOST }), { containerId: 'c1', scheme: 'http', host: '127.0.0.1', port: 49153, reason: 'port 80 is published at 127.0.0.1:49153' })
  t.match(resolveUpstream(container({ ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] } }), { vantage: HOST }), { host: '127.0.0.1', port: 8080 })
  t.match(resolveUpstream(container({ ports: { '80/tcp': [{ HostIp: '::', HostPort: '8080' }] } }), { vantage: HOST }), { host: '::1', port: 8080 })
})

t.test('the container\'s own address serves what is not published, where it can be reached', async (t) => {
  t.match(resolveUpstream(container(), { vantage: HOST }), { host: '172.17.0.2', port: 80 })
  t.throws(() => resolveUpstream(container(), { vantage: DESKTOP }), { code: 'upstream_failed' })
})

t.test('inside a container only shared networks count, the preferred first', async (t) => {
  const networks = { alpha: ['net-a', '10.0.0.2'], beta: ['net-b', '10.0.1.2'], gamma: ['net-c', '10.0.2.2'] } as Record<string, [string, string]>
  t.match(resolveUpstream(container({ networks, ports: published }), { vantage: INSIDE }), { host: '10.0.1.2', port: 80 })
  t.match(resolveUpstream(container({ networks }), { vantage: INSIDE, preferredNetwork: 'gamma' }), { host: '10.0.2.2' })
  t.match(resolveUpstream(container({ networks, labels: { 'dockapi.network': 'gamma' } }), { vantage: INSIDE, preferredNetwork: 'beta' }), { host: '10.0.2.2' })
  t.throws(() => resolveUpstream(container({ ports: published }), { vantage: INSIDE }), { code: 'upstream_failed', message: /networks bridge/ })
})

t.test('a remote engine is reached at its host, never at its loopback', async (t) => {
  t.match(resolveUpstream(container({ ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] } }), { vantage: REMOTE }), { host: 'engine.example', port: 8080 })
  t.throws(() => resolveUpstream(container({ ports: published }), { vantage: REMOTE }), { code: 'upstream_failed' })
})

t.test('the host\'s network', async (t) => {
  t.match(resolveUpstream(container({ mode: 'host', networks: { host: ['net-h', ''] } }), { vantage: DESKTOP }), { host: '127.0.0.1', port: 80 })
})

t.test('the port: label, run, the only one, a common one, the lowest', async (t) => {
  const port = (options: Options, asked?: number) => resolveUpstream(container(options), { vantage: HOST, port: asked }).port
  t.equal(port({ labels: { 'dockapi.port': '9000', 'dockapi.container_port': '81' } }), 9000)
  t.equal(port({ labels: { 'dockapi.container_port': '81' } }), 81)
  t.equal(port({ exposed: ['7777/tcp', '53/udp'] }), 7777)
  t.equal(port({ exposed: ['9999/tcp', '3000/tcp'] }), 3000)
  t.equal(port({ exposed: ['9999/tcp', '9000/tcp'] }), 9000)
  t.equal(port({ labels: { 'dockapi.port': '99999' } }), 80, 'a label that is no port is passed over')
  t.equal(port({}, 81), 81)
  t.throws(() => port({ exposed: ['53/udp'] }), { code: 'no_port' })
})

t.test('what does not run has no address', async (t) => {
  for (const status of ['created', 'exited', 'paused', 'restarting', 'dead', 'removing']) {
    t.throws(() => resolveUpstream(container({ status, ports: published }), { vantage: HOST }), { code: 'upstream_not_running', message: new RegExp(status) })
  }
})
