import t from 'tap'
import { buildSpec } from '../../../src/containers/spec.ts'
import { loadConfig } from '../../../src/config/load.ts'
import type { ContainerSpec } from '../../../src/engine/containers.ts'
import { policyOf } from '../../support/policy.ts'

const ID = 'a'.repeat(64)
const DIGEST = `sha256:${ID}`

/** What a run without options sends, with changes. */
function spec (host: object = {}, rest: object = {}): ContainerSpec {
  const plain = buildSpec({ image: 'nginx' }, 'nginx:latest', 80, loadConfig())
  return { ...plain, ...rest, HostConfig: { ...plain.HostConfig, ...host } } as ContainerSpec
}

t.test('what a run can ask for is allowed', async (t) => {
  const { judge } = policyOf({ DOCKAPI_VOLUME_ROOTS: '/srv' })
  t.same(await judge(spec()), [])
  const everything = buildSpec({
    image: 'ghcr.io/team/app@' + DIGEST,
    container_port: 80,
    host_port: 8081,
    ports: [{ container_port: 53, protocol: 'udp' }],
    name: 'x',
    env: { A: 'b=c\nd' },
    command: 'a b',
    entrypoint: ['c'],
    workdir: '/w',
    user: '1:1',
    hostname: 'h',
    labels: { 'a.b': 'c' },
    auto_remove: true,
    volumes: ['/srv/x:/x:ro', 'cache:/c'],
    tmpfs: ['/tmp:size=1m'],
    network: 'my-network',
    memory: '64m',
    cpus: 0.5,
    pids: 5,
    read_only: true,
    init: true,
    stop_timeout: 3,
    healthcheck: { command: 'true', interval: 1, timeout: 1, retries: 1, start_period: 1 }
  }, `ghcr.io/team/app@${DIGEST}`, 80, loadConfig())
  t.same(await judge(everything), [])
})

t.test('S12: rights over the host are denied, each named', async (t) => {
  const { judge } = policyOf({ DOCKAPI_VOLUME_ROOTS: '/' })
  const driver = { Name: 'local', Options: { type: 'none', o: 'bind', device: '/' } }
  for (const [rule, host] of [
    ['Privileged', { Privileged: true }],
    ['Privileged', { Privileged: 'true' }],
    ['CapAdd', { CapAdd: ['SYS_ADMIN'] }],
    ['CapAdd', { CapAdd: ['ALL'] }],
    ['Devices', { Devices: [{ PathOnHost: '/dev/sda', PathInContainer: '/dev/sda', CgroupPermissions: 'rwm' }] }],
    ['DeviceRequests', { DeviceRequests: [{ Driver: 'nvidia', Count: -1 }] }],
    ['DeviceCgroupRules', { DeviceCgroupRules: ['b 8:* rmw'] }],
    ['VolumesFrom', { VolumesFrom: ['other'] }],
    ['VolumeDriver', { VolumeDriver: 'other' }],
    ['Sysctls', { Sysctls: { 'kernel.msgmax': '1' } }],
    ['Binds', { Binds: ['/:/host'] }],
    ['Binds', { Binds: ['/var/run/docker.sock:/s'] }],
    ['Links', { Links: ['other:o'] }],
    ['Runtime', { Runtime: 'other' }],
    ['CgroupParent', { CgroupParent: '/x' }],
    ['GroupAdd', { GroupAdd: ['0'] }],
    ['ExtraHosts', { ExtraHosts: ['host.docker.internal:host-gateway'] }],
    ['OomScoreAdj', { OomScoreAdj: -1000 }],
    ['PublishAllPorts', { PublishAllPorts: true }],
    ['NetworkMode', { NetworkMode: 'host' }],
    ['NetworkMode', { NetworkMode: 'HOST' }],
    ['NetworkMode', { NetworkMode: '3adf7c0787ac' }],
    ['NetworkMode', { NetworkMode: 'container:other' }],
    ['NetworkMode', { NetworkMode: 'ns:/proc/1/ns/net' }],
    ['PidMode', { PidMode: 'host' }],
    ['PidMode', { PidMode: 'container:other' }],
    ['IpcMode', { IpcMode: 'host' }],
    ['IpcMode', { IpcMode: 'container:other' }],
    ['UTSMode', { UTSMode: 'host' }],
    ['UsernsMode', { UsernsMode: 'host' }],
    ['CgroupnsMode', { CgroupnsMode: 'host' }],
    ['SecurityOpt', { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] }],
    ['SecurityOpt', { SecurityOpt: ['no-new-privileges', 'apparmor=unconfined'] }],
    ['SecurityOpt', { SecurityOpt: ['no-new-privileges', 'systempaths=unconfined'] }],
    ['SecurityOpt', { SecurityOpt: ['no-new-privileges', 'label=disable'] }],
    ['SecurityOpt', { SecurityOpt: ['no-new-privileges:false'] }],
    ['SecurityOpt', { SecurityOpt: [] }],
    ['CapDrop', { CapDrop: ['NET_RAW'] }],
    ['LogConfig.Type', { LogConfig: { Type: 'syslog', Config: { 'syslog-address': 'udp://192.0.2.1' } } }],
    ['MaskedPaths', { MaskedPaths: [] }],
    ['ReadonlyPaths', { ReadonlyPaths: [] }],
    ['Mounts.VolumeOptions.DriverConfig', { Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { NoCopy: false, Labels: {}, DriverConfig: driver } }] }],
    ['Mounts.BindOptions', { Mounts: [{ Type: 'bind', Source: '/srv', Target: '/v', BindOptions: { Propagation: 'rshared' } }] }],
    ['Mounts.Type', { Mounts: [{ Type: 'npipe', Source: '\\\\.\\pipe\\docker_engine', Target: '/v' }] }],
    ['Mounts.Type', { Mounts: [{ Type: 'image', Source: 'x', Target: '/v' }] }]
  ] as Array<[string, object]>) {
    const denials = await judge(spec(host))
    t.same([...new Set(denials.map((denial) => denial.rule))], [rule], JSON.stringify(host))
    await t.rejects(policyOf({ DOCKAPI_VOLUME_ROOTS: '/' }).enforce(spec(host)), { code: 'policy_denied' })
  }
})

t.test('what nobody thought of is denied, at every depth and in every case', async (t) => {
  const { judge } = policyOf()
  for (const [rule, asked] of [
    ['Volumes', spec({}, { Volumes: { '/x': {} } })],
    ['hostconfig', spec({}, { hostconfig: { Privileged: true } })],
    ['privileged', spec({ privileged: true })],
    ['Ulimits', spec({ Ulimits: [] })],
    ['NewInDocker40', spec({ NewInDocker40: null })],
    ['RestartPolicy.Other', spec({ RestartPolicy: { Name: 'no', Other: 1 } })],
    ['RestartPolicy.Name', spec({ RestartPolicy: { Name: 'sometimes' } })],
    ['Mounts.Other', spec({ Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', Other: 1 }] })],
    ['Mounts.VolumeOptions.Subpath', spec({ Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', VolumeOptions: { Subpath: '../..' } }] })],
    ['Mounts.TmpfsOptions.Options', spec({ Mounts: [{ Type: 'tmpfs', Target: '/v', TmpfsOptions: { Options: [['exec']] } }] })],
    ['PortBindings.Other', spec({ PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', Other: '' }] } })],
    ['NetworkingConfig.Other', spec({}, { NetworkingConfig: { Other: {} } })],
    ['NetworkingConfig.EndpointsConfig', spec({}, { NetworkingConfig: { EndpointsConfig: { host: {} } } })],
    ['NetworkingConfig.EndpointsConfig.IPAMConfig', spec({}, { NetworkingConfig: { EndpointsConfig: { web: { IPAMConfig: { IPv4Address: '172.18.0.2' } } } } })],
    ['NetworkingConfig.EndpointsConfig.DriverOpts', spec({}, { NetworkingConfig: { EndpointsConfig: { web: { DriverOpts: { a: 'b' } } } } })],
    ['HostConfig', { ...spec(), HostConfig: ['Privileged'] as object }],
    ['__proto__', JSON.parse('{"__proto__":{"Privileged":true}}') as ContainerSpec]
  ] as Array<[string, ContainerSpec]>) {
    const denials = await judge(asked)
    t.ok(denials.some((denial) => denial.rule === rule), `${rule}: ${JSON.stringify(denials)}`)
  }
})

t.test('nulls and empty values that mean nothing are no wish', async (t) => {
  t.same(await policyOf().judge(spec({ Privileged: false, CapAdd: null, Devices: [], Binds: null, Sysctls: {}, PidMode: '', IpcMode: 'private', CgroupnsMode: 'private', OomScoreAdj: 0, Init: null, PidsLimit: null }, { Entrypoint: null })), [])
})

t.test('volumes that bind folders of the host by another name are judged as folders', async (t) => {
  const { judge } = policyOf({ DOCKAPI_VOLUME_ROOTS: '/srv/allowed' }, {
    plain: { driver: 'local', options: {} },
    memory: { driver: 'local', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } },
    share: { driver: 'local', options: { type: 'cifs', device: '//nas/share', o: 'username=u' } },
    inside: { driver: 'local', options: { type: 'none', o: 'bind', device: '/srv/allowed/x' } },
    root: { driver: 'local', options: { type: 'none', o: 'bind', device: '/' } },
    rbind: { driver: 'local', options: { type: 'ext4', o: 'ro, rbind', device: '/etc' } },
    disk: { driver: 'local', options: { type: 'ext4', device: '/dev/sda1' } },
    overlay: { driver: 'local', options: { type: 'overlay', device: 'overlay', o: 'lowerdir=/etc:/root' } },
    plugin: { driver: 'local-persist', options: { mountpoint: '/etc' } },
    cloud: { driver: 'cloud', options: { size: '10' } }
  })
  const verdict = async (name: string) => (await judge(spec({ Mounts: [{ Type: 'volume', Source: name, Target: '/v' }] }))).map(({ rule }) => rule)
  for (const name of ['plain', 'memory', 'share', 'inside', 'cloud', 'not-there']) t.same(await verdict(name), [], name)
  for (const name of ['root', 'rbind', 'disk', 'overlay', 'plugin']) t.same(await verdict(name), ['Mounts'], name)
})

t.test('S26: ports: addresses and numbers', async (t) => {
  const verdict = async (env: Record<string, string>, HostIp: string, HostPort: string) => (await policyOf(env).judge(spec({ PortBindings: { '80/tcp': [{ HostIp, HostPort }] } }))).map(({ setting }) => setting ?? 'never')
  for (const port of ['', '0', '1024', '65535']) t.same(await verdict({}, '127.0.0.1', port), [], port)
  for (const port of ['80', '1023', '65536', '8000-9000', '-1', 'x']) t.same(await verdict({}, '127.0.0.1', port), ['DOCKAPI_HOST_PORTS'], port)
  t.same(await verdict({ DOCKAPI_HOST_PORTS: '80,9000-9001' }, '127.0.0.1', '80'), [])
  t.same(await verdict({ DOCKAPI_HOST_PORTS: '80,9000-9001' }, '127.0.0.1', '9002'), ['DOCKAPI_HOST_PORTS'])
  for (const port of ['8000', '8080']) t.same(await verdict({}, '127.0.0.1', port), ['never'], `${port} is dockAPI's own`)
  for (const address of ['', '0.0.0.0', '::', '192.0.2.1']) t.same(await verdict({}, address, ''), ['DOCKAPI_PUBLISH_HOST'], address)
  t.same(await verdict({ DOCKAPI_PUBLISH_HOST: '0.0.0.0' }, '0.0.0.0', ''), [])
  t.same(await verdict({ DOCKAPI_PUBLISH_HOST: '192.0.2.1' }, '192.0.2.1', ''), [])
})

t.test('limits hold for what is made and for what is changed; none is more than any', async (t) => {
  const env = { DOCKAPI_MAX_MEMORY: '64m', DOCKAPI_MAX_CPUS: '0.5', DOCKAPI_MAX_PIDS: '10' }
  const inside = { Memory: 64 * 1024 ** 2, MemorySwap: 64 * 1024 ** 2, NanoCpus: 5e8, PidsLimit: 10 }
  const settings = async (host: object) => (await policyOf(env).judge(spec({ ...inside, ...host }))).map(({ setting }) => setting)
  t.same(await settings({}), [])
  for (const [host, setting] of [
    [{ Memory: 64 * 1024 ** 2 + 1 }, 'DOCKAPI_MAX_MEMORY'], [{ Memory: 0 }, 'DOCKAPI_MAX_MEMORY'], [{ MemorySwap: -1 }, 'DOCKAPI_MAX_MEMORY'], [{ MemorySwap: 0 }, 'DOCKAPI_MAX_MEMORY'],
    [{ NanoCpus: 6e8 }, 'DOCKAPI_MAX_CPUS'], [{ NanoCpus: 0 }, 'DOCKAPI_MAX_CPUS'], [{ PidsLimit: 11 }, 'DOCKAPI_MAX_PIDS'], [{ PidsLimit: -1 }, 'DOCKAPI_MAX_PIDS'], [{ PidsLimit: null }, 'DOCKAPI_MAX_PIDS']
  ] as const) {
    t.same(await settings(host), [setting], JSON.stringify(host))
    await t.rejects(policyOf(env).enforceChanges(host as object), { code: 'policy_denied', details: { denials: [{ setting }] } })
  }
  t.same(await policyOf(env).enforceChanges({ Memory: 1e7, RestartPolicy: { Name: 'always' } }), { Memory: 1e7, RestartPolicy: { Name: 'always' } })
  for (const changes of [{ Devices: [{}] }, { CpuShares: 5 }, { RestartPolicy: { Name: 'x' } }]) await t.rejects(policyOf().enforceChanges(changes as object), { code: 'policy_denied' })
})

t.test('S15: images: what is allowed and denied, from where, in every spelling', async (t) => {
  const settings = async (env: Record<string, string>, Image: string) => (await policyOf(env).judge(spec({}, { Image }))).map(({ setting }) => setting ?? 'never')
  const allow = { DOCKAPI_IMAGES_ALLOW: 'nginx' }
  for (const image of ['nginx', 'nginx:1', 'docker.io/library/nginx:1']) t.same(await settings(allow, image), [], image)
  for (const image of ['evil.io/nginx', 'nginx.evil.io/x', 'localhost:5000/nginx', ID, DIGEST, `library/nginx@${DIGEST}`]) t.same(await settings(allow, image), ['DOCKAPI_IMAGES_ALLOW'], image)
  for (const image of ['NGINX', 'nginx:latest\n', '']) t.same(await settings(allow, image), ['never'], image)
  const deny = { DOCKAPI_IMAGES_DENY: 'nginx' }
  for (const image of ['nginx', `nginx@${DIGEST}`, 'docker.io/library/nginx:9', ID]) t.same(await settings(deny, image), ['DOCKAPI_IMAGES_DENY'], image)
  t.same(await settings(deny, 'redis'), [])
  const registries = { DOCKAPI_REGISTRIES: 'ghcr.io,localhost:5000' }
  for (const image of ['ghcr.io/a', 'localhost:5000/a/b:1', `GHCR.io/a@${DIGEST}`]) t.same(await settings(registries, image), [], image)
  for (const image of ['nginx', 'localhost/a', 'localhost:5001/a', 'ghcr.io.evil.test/a', '127.0.0.1:5000/a', ID]) t.same(await settings(registries, image), ['DOCKAPI_REGISTRIES'], image)
  t.same(await settings({}, ID), [])
  for (const image of ['169.254.169.254/x', '169.254.169.254:80/latest/meta-data', '[fd00:ec2::254]:80/x']) t.same(await settings({}, image), ['never'], image)
})

t.test('S15: pulls and tags are judged by the same names; builds and archives bring any', async (t) => {
  const policy = policyOf({ DOCKAPI_IMAGES_DENY: 'nginx' })
  t.throws(() => policy.enforceImage('nginx:2'), { code: 'policy_denied', hint: 'DOCKAPI_IMAGES_DENY would allow it.' })
  t.equal(policy.enforceImage('abcdef'), 'abcdef:latest', 'never the beginning of an id')
  t.equal(policyOf().enforceImage('abcdef'), 'abcdef')
  t.throws(() => policy.enforceUnnamedImages('a build'), { code: 'policy_denied', message: /a build can bring any image/ })
  t.doesNotThrow(() => policyOf().enforceUnnamedImages('a build'))
})

t.test('capabilities: the default, more, none', async (t) => {
  const capDrop = (env: Record<string, string>) => buildSpec({ image: 'x' }, 'x:latest', 80, loadConfig({ env })).HostConfig!.CapDrop
  t.same(capDrop({}), ['AUDIT_WRITE', 'MKNOD', 'NET_RAW'])
  t.same(capDrop({ DOCKAPI_CAP_DROP: 'ALL' }), ['ALL'])
  t.same(capDrop({ DOCKAPI_CAP_DROP: 'NONE' }), [])
  t.same(await policyOf().judge(spec({ CapDrop: ['cap_audit_write', 'CAP_MKNOD', 'NET_RAW', 'CHOWN'] })), [])
  t.same(await policyOf().judge(spec({ CapDrop: ['ALL'] })), [])
  t.match(await policyOf().judge(spec({ CapDrop: [] })), [{ rule: 'CapDrop', setting: 'DOCKAPI_CAP_DROP' }])
})

t.test('S13: what was judged is what is sent: a copy that nobody can change', async (t) => {
  const asked = spec({ Init: undefined })
  const judged = await policyOf().enforce(asked)
  asked.HostConfig!.Privileged = true
  t.same(judged, JSON.parse(JSON.stringify(spec())))
  t.throws(() => { judged.HostConfig!.Privileged = true }, TypeError)
  t.throws(() => { judged.HostConfig!.PortBindings['80/tcp'][0].HostIp = '' }, TypeError)
  const sly = { ...spec(), toJSON: () => ({ ...spec({ Privileged: true }) }) }
  await t.rejects(policyOf().enforce(sly), { code: 'policy_denied' }, 'what JSON makes of it is judged')
})

t.test('a refusal names each rule, and the setting when one would allow all of it', async (t) => {
  const folder = spec({ Mounts: [{ Type: 'bind', Source: '/srv', Target: '/x' }] })
  await t.rejects(policyOf().enforce(folder), { code: 'policy_denied', hint: 'DOCKAPI_VOLUME_ROOTS would allow it.', details: { denials: [{ rule: 'Mounts' }] } })
  await t.rejects(policyOf().enforce({ ...folder, HostConfig: { ...folder.HostConfig, Privileged: true } }), { code: 'policy_denied', hint: /policy\/check/, details: { denials: [{ rule: 'Mounts' }, { rule: 'Privileged' }] } })
})
