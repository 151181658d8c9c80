import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request as sendRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, engineFromEnvironment, TEST_LABELS } from '../support/engine.ts'

type Container = { Id: string, HostConfig: Record<string, unknown>, Config: Record<string, unknown> }
type Refusal = { code: string, hint?: string, denials?: Array<{ rule: string, setting?: string }> }

const engine = createTestEngine(t)
const base = await busyboxImage(engine)
const REPOSITORY = `policy-${process.pid}`
/** A name of its own, so that what other tests make is not counted. */
const image = `${REPOSITORY}:1`
await engine.call('test.tag', (docker, abortSignal) => docker.getImage(base).tag({ repo: REPOSITORY, tag: '1', abortSignal }))
t.after(async () => {
  const again = engineFromEnvironment()
  await again.call('test.untag', async (docker, abortSignal) => { await docker.getImage(image).remove({ force: true, abortSignal }).catch(() => {}) })
  await again.close()
})

/** Below a root of its own, where nothing else is. */
const folder = join(tmpdir(), `dockapi-policy-${process.pid}`)
const root = join(folder, 'allowed')
mkdirSync(join(root, 'data'), { recursive: true })
mkdirSync(join(folder, 'outside'))
writeFileSync(join(root, 'data', 'file'), 'inside')
symlinkSync('/', join(root, 'link'))
symlinkSync('../outside', join(root, 'sibling'))
t.after(() => { rmSync(folder, { recursive: true, force: true }) })

const { url } = await listenTestApp(t, { DOCKAPI_VOLUME_ROOTS: root })
const api = createClient(url)
const SLEEP = { image, command: 'sleep 600', container_port: 80 }

async function made (): Promise<string[]> {
  const all = await engine.call('test.list', (docker, abortSignal) => docker.listContainers({ all: true, abortSignal }))
  return all.filter(({ Image }) => Image === image).map(({ Id }) => Id).sort()
}

async function inspect (id: string): Promise<Container> {
  return await engine.call('test.inspect', (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal })) as unknown as Container
}

/** A container that somebody made past the product, not started, with the product told that it may see it. */
async function makeOutside (HostConfig: object): Promise<string> {
  return await engine.call('test.create', async (docker, abortSignal) => {
    const { id } = await docker.createContainer({ Image: image, Cmd: ['sleep', '600'], Labels: { ...TEST_LABELS, 'dockapi.enable': 'true' }, HostConfig, abortSignal })
    return id
  })
}

/** Rights as the API would be asked for them, in its own words and in the engine's. */
const WISHES: Array<[name: string, wish: Record<string, unknown>]> = [
  ...['/:/h', '/var/run/docker.sock:/s', '/run/docker.sock:/s', '/run:/h', '/etc:/h', '/etc/passwd:/h:ro', '/proc:/h', '/proc/1/root:/h', '/sys:/h', '/dev:/h', '/boot:/h', '/var/lib/docker:/h', '/var:/h', '/root:/h', '//:/h', `${root}/../outside:/h`, `${root}/link:/h`, `${root}/link/etc:/h`, `${root}/sibling:/h`, `/${root}/sibling/:/h`, `${root}-not:/h`]
    .map((volume): [string, Record<string, unknown>] => [`volume ${volume}`, { volumes: [volume] }]),
  ['a NUL in a volume', { volumes: [`${root}/data\0/../../etc:/h`] }],
  ['a volume mode', { volumes: [`${root}/data:/h:rshared`] }],
  ...['host', 'HOST', 'container:other', 'ns:/proc/1/ns/net'].map((network): [string, Record<string, unknown>] => [`network ${network}`, { network }]),
  ...Object.entries({
    privileged: true,
    cap_add: ['ALL'],
    pid: 'host',
    pid_mode: 'host',
    ipc: 'host',
    uts: 'host',
    userns: 'host',
    cgroupns: 'host',
    devices: ['/dev/sda'],
    device_requests: [{}],
    security_opt: ['seccomp=unconfined'],
    volumes_from: ['other'],
    sysctls: { 'net.ipv4.ip_forward': '1' },
    runtime: 'other',
    cgroup_parent: '/x',
    extra_hosts: ['a:host-gateway'],
    log_driver: 'syslog',
    log_opts: { 'syslog-address': 'udp://192.0.2.1' },
    volume_driver: 'local',
    mounts: [{ type: 'bind', source: '/', target: '/h' }],
    ulimits: [],
    group_add: ['0'],
    links: ['other'],
    Privileged: true,
    PRIVILEGED: true,
    HostConfig: { Privileged: true },
    hostconfig: { privileged: true },
    host_config: {},
    NetworkMode: 'host',
    NetworkingConfig: {},
    Binds: ['/:/h'],
    __proto__x: {},
    healthcheck: { command: 'true', Privileged: true },
    ports: [{ container_port: 1, HostIp: '0.0.0.0' }]
  }).map(([name, value]): [string, Record<string, unknown>] => [`${name} ${JSON.stringify(value)}`, { [name]: value }]),
  ['a port of the system', { host_port: 80 }],
  ['a range of ports', { host_port: '8000-9000' }],
  ['a reserved label', { labels: { 'dockapi.managed': 'false' } }],
  ['a reserved label in capitals', { labels: { 'DockAPI.owner': 'root' } }],
  ['a gateway label', { labels: { 'dockapi.rule': 'Host(`x`)' } }],
  ['a label with =', { labels: { 'dockapi.managed=x': '' } }],
  ['env with NUL', { env: { A: 'b\0c' } }],
  ['env without a name', { env: { '=x': 'b' } }]
]

t.test('S12: no door of the API gives rights over the host: 4xx, and nothing is made', async (t) => {
  for (const [name, wish] of WISHES) {
    for (const [path, body] of [['/containers/run', { ...SLEEP, ...wish }], ['/containers', { image, ...wish }], ['/api/containers', { image, ...wish }]] as const) {
      const { status, body: refusal } = await api.post<Refusal>(path, body)
      t.ok(status >= 400 && status < 500, `${path} ${name}: ${status} ${refusal.code}`)
    }
  }
  t.same(await made(), [])
})

t.test('a check says the same of each: refused as wrong, or denied with the rule', async (t) => {
  for (const [name, wish] of WISHES) {
    const [checked, ran] = await Promise.all(['/policy/check', '/containers/run'].map((path) => api.post<Refusal & { allowed: boolean }>(path, { ...SLEEP, ...wish })))
    if (checked!.status === 200) t.same([checked!.body.allowed, checked!.body.denials], [false, ran!.body.denials], name)
    else t.same([checked!.status, checked!.body.code], [ran!.status, ran!.body.code], name)
  }
})

t.test('S12: what changes a container changes limits and restarts, and nothing else', async (t) => {
  const { body: { id } } = await api.run<{ id: string }>(SLEEP)
  const before = await inspect(id)
  for (const [name, wish] of WISHES) {
    const { status } = await api.patch(`/containers/${id}`, wish)
    t.ok(status >= 400 && status < 500, name)
  }
  for (const body of [{ memory: '64m', Devices: [] }, { Memory: 1 }, { cpu_shares: 2 }, { blkio_weight: 10 }, {}]) t.equal((await api.patch(`/containers/${id}`, body)).status, 400, JSON.stringify(body))
  t.same((await inspect(id)).HostConfig, before.HostConfig)
  await api.delete(`/containers/${id}?force=true`)
})

t.test('S12: a container that was made elsewhere with such rights gets no replica', async (t) => {
  const driver = { Name: 'local', Options: { type: 'none', o: 'bind', device: '/etc' } }
  const other = await makeOutside({})
  for (const [rule, HostConfig] of [
    ['Privileged', { Privileged: true }],
    ['CapAdd', { CapAdd: ['SYS_ADMIN'] }],
    ['PidMode', { PidMode: 'host' }],
    ['PidMode', { PidMode: `container:${other}` }],
    ['IpcMode', { IpcMode: 'host' }],
    ['UTSMode', { UTSMode: 'host' }],
    ['NetworkMode', { NetworkMode: 'host' }],
    ['NetworkMode', { NetworkMode: `container:${other}` }],
    ['Devices', { Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' }] }],
    ['DeviceCgroupRules', { DeviceCgroupRules: ['b 8:* rmw'] }],
    ['SecurityOpt', { SecurityOpt: ['seccomp=unconfined'] }],
    ['VolumesFrom', { VolumesFrom: [other] }],
    ['Sysctls', { Sysctls: { 'net.ipv4.ip_forward': '1' } }],
    ['Binds', { Binds: ['/:/h'] }],
    ['CgroupParent', { CgroupParent: '/x' }],
    ['ExtraHosts', { ExtraHosts: ['a:192.0.2.1'] }],
    ['GroupAdd', { GroupAdd: ['0'] }],
    ['LogConfig.Type', { LogConfig: { Type: 'syslog', Config: { 'syslog-address': 'udp://192.0.2.1:514' } } }],
    ['Mounts', { Mounts: [{ Type: 'bind', Source: '/etc', Target: '/h' }] }],
    ['Mounts.VolumeOptions.DriverConfig', { Mounts: [{ Type: 'volume', Source: `policy-driver-${process.pid}`, Target: '/h', VolumeOptions: { DriverConfig: driver, Labels: TEST_LABELS } }] }]
  ] as Array<[string, object]>) {
    const id = await makeOutside(HostConfig)
    const before = await made()
    t.ok(before.includes(id), 'what is made is seen')
    const { status, body } = await api.call<Refusal>('PUT', `/containers/${id}/replicas`, { replicas: 2 })
    t.match([status, body], [403, { code: 'policy_denied' }], JSON.stringify(HostConfig))
    t.ok(body.denials?.some((denial) => denial.rule === rule), JSON.stringify(body))
    t.same(await made(), before)
  }
  await engine.call('test.start', (docker, abortSignal) => docker.getContainer(other).start({ abortSignal }))
  const { status, body } = await api.call<{ containers: Array<{ id: string }> }>('PUT', `/containers/${other}/replicas`, { replicas: 2 })
  t.equal(status, 200, 'an ordinary one gets one')
  t.match((await inspect(body.containers[1]!.id)).HostConfig, { SecurityOpt: ['no-new-privileges'], CapDrop: ['AUDIT_WRITE', 'MKNOD', 'NET_RAW'] }, 'with what every container of the API has')
})

t.test('S12: a volume that is a folder of the host by another name is no way around', async (t) => {
  const create = async (Name: string, DriverOpts: Record<string, string>) => { await engine.call('test.volume', (docker, abortSignal) => docker.createVolume({ Name, Driver: 'local', DriverOpts, Labels: TEST_LABELS, abortSignal })) }
  for (const [name, options, status] of [
    ['root', { type: 'none', o: 'bind', device: '/' }, 403], ['etc', { type: 'none', o: 'bind', device: '/etc' }, 403], ['link', { type: 'none', o: 'rbind', device: `${root}/link` }, 403], ['overlay', { type: 'overlay', device: 'overlay', o: 'lowerdir=/etc:/root' }, 403],
    ['inside', { type: 'none', o: 'bind', device: `${root}/data` }, 201], ['memory', { type: 'tmpfs', device: 'tmpfs' }, 201]
  ] as Array<[string, Record<string, string>, number]>) {
    const volume = `policy-${process.pid}-${name}`
    await create(volume, options)
    const before = await made()
    const run = await api.run<Refusal>({ ...SLEEP, volumes: [`${volume}:/h`] })
    t.equal(run.status, status, `${name}: ${JSON.stringify(run.body)}`)
    if (status === 403) t.same(await made(), before)
  }
})

t.test('the host\'s network has an id too, under which it cannot be joined', async (t) => {
  const { Id: id } = await engine.call('test.network', (docker) => docker.getNetwork('host').inspect()) as { Id: string }
  const before = await made()
  for (const network of [id, id.slice(0, 12)]) {
    const { status } = await api.run({ ...SLEEP, network })
    t.ok(status >= 400 && status < 500, String(status))
  }
  t.same(await made(), before)
})

t.test('S13: what is sent is what is judged, however the body comes', async (t) => {
  const before = await made()
  const send = (body: string, headers: Record<string, string> = {}, path = '/containers/run') => new Promise<number>((resolve, reject) => {
    const request = sendRequest(url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, (answer) => {
      resolve(answer.statusCode!)
      request.destroy()
    })
    request.on('error', reject)
    request.end(body)
  })
  const evil = JSON.stringify({ ...SLEEP, network: 'host' }).slice(1)
  for (const path of ['/containers/run', '/policy/check', '/containers', '/api/containers']) {
    t.equal(await send(`{"env":{"PAD":"${'x'.repeat(1.1 * 1024 ** 2)}"},${evil}`, {}, path), 413, 'more than a megabyte')
    t.equal(await send(`{${' '.repeat(1.1 * 1024 ** 2)}${evil}`, {}, path), 413, 'of spaces too')
    t.equal(await send('', { 'content-length': '0' }, path), 400, 'an empty body')
  }
  t.equal(await send(`{${evil}`, { 'transfer-encoding': 'chunked' }), 403, 'in chunks')
  t.equal(await send(`{"network":"none",${evil}`), 400, 'of two keys none counts')
  t.equal(await send(`{"network":"none","\\u006eetwork":"host",${JSON.stringify(SLEEP).slice(1)}`), 400, 'however they are written')
  t.equal(await send(`{"privileged":false,"privileged":true,${JSON.stringify(SLEEP).slice(1)}`), 400)
  t.equal(await send(`{"__proto__":{"network":"host"},${JSON.stringify(SLEEP).slice(1)}`), 400)
  t.equal(await send(`{"Network":"host",${JSON.stringify(SLEEP).slice(1)}`), 400, 'case counts')
  t.same(await made(), before)
})

t.test('S14: folders inside the roots are mounted, read-only when asked for', async (t) => {
  const run = (volume: string, command: string) => api.run<{ exit_code: number, stdout: string }>({ image, command: ['sh', '-c', command], detach: false, volumes: [volume] })
  t.match(await run(`${root}/data:/h`, 'cat /h/file'), { status: 201, body: { exit_code: 0, stdout: 'inside' } })
  t.match(await run(`${root}/data/../data/.:/h`, 'cat /h/file'), { body: { stdout: 'inside' } })
  t.match(await run(`${root}/data:/h:ro`, 'touch /h/new'), { body: { exit_code: 1 } })
})

t.test('S25: a run without options has what is promised', async (t) => {
  const { body: { id } } = await api.run<{ id: string }>(SLEEP)
  t.match((await inspect(id)).HostConfig, {
    Privileged: false,
    Memory: 1024 ** 3,
    MemorySwap: 1024 ** 3,
    NanoCpus: 1e9,
    PidsLimit: 512,
    CapAdd: null,
    CapDrop: ['AUDIT_WRITE', 'MKNOD', 'NET_RAW'],
    SecurityOpt: ['no-new-privileges'],
    PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1' }] },
    RestartPolicy: { Name: 'no' },
    NetworkMode: 'default',
    PidMode: '',
    UTSMode: '',
    UsernsMode: '',
    Binds: null,
    Devices: null
  })
  t.match(await api.post(`/containers/${id}/exec`, { command: ['grep', 'CapBnd', '/proc/self/status'] }), { body: { stdout: /CapBnd:\t00000000800405fb/ } })
})

t.test('what is denied is denied before anything is replaced', async (t) => {
  const name = `policy-${process.pid}-kept`
  const { body: { id } } = await api.run<{ id: string }>({ ...SLEEP, name })
  t.match(await api.run({ ...SLEEP, name, if_exists: 'replace', network: 'host' }), { status: 403, body: { code: 'policy_denied', denials: [{ rule: 'NetworkMode' }] } })
  t.equal((await api.get(`/containers/${id}`)).status, 200)
})

t.end()
