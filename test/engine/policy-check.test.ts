import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { split } from 'shlex'
import t from 'tap'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, TEST_LABELS } from '../support/engine.ts'

type Verdict = { allowed: boolean, denials: Array<{ rule: string, message: string, setting?: string }>, payload: Record<string, unknown>, command: string, warnings: string[] }

const run = promisify(execFile)
const hasCli = await run('docker', ['--version']).then(() => true, () => false)
const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const chaos = await createChaosSocket(t)
const root = t.testdir({ data: { file: 'inside' } })
const { app, url } = await listenTestApp(t, { DOCKER_HOST: chaos.host, DOCKAPI_VOLUME_ROOTS: root })
const api = createClient(url)
const NAME = `check-${process.pid}`

const REQUESTS: Array<[name: string, request: Record<string, unknown>]> = [
  ['the least', { image, container_port: 80, command: ['sleep', '600'] }],
  ['a job', { image, command: 'sh -c "exit 3"', detach: false, wait_timeout: 60 }],
  ['everything', {
    image,
    container_port: 80,
    host_port: 0,
    ports: [{ container_port: 53, protocol: 'udp' }, { container_port: 81 }],
    env: { PLAIN: 'x', EMPTY: '', ODD: 'a "b" \'c\' $HOME `d` \\ é\nsecond line', 'with.dots-and': '=' },
    entrypoint: ['sh', '-c'],
    command: ['sleep 600; echo "$0" \'$1\'', '--flag', ''],
    workdir: '/tmp',
    user: '1000:1000',
    hostname: 'my-host',
    labels: { 'a.b/c': 'x=y, "z"', empty: '' },
    restart_policy: 'on-failure',
    volumes: [`${root}/data:/data:ro`, `${NAME}-volume:/cache`],
    tmpfs: ['/tmp:size=1m,mode=1777', '/run'],
    network: 'bridge',
    memory: '64m',
    cpus: 0.25,
    pids: 20,
    read_only: true,
    init: true,
    stop_timeout: 1
  }],
  ['one that goes by itself', { image, container_port: 80, command: 'sleep 600', auto_remove: true, init: false }]
]

async function inspect (id: string) {
  return await engine.call('test.inspect', (docker, abortSignal) => docker.getContainer(id).inspect({ abortSignal })) as unknown as { Path: string, Args: string[], Config: object, HostConfig: object }
}

/** Without what is empty, in whatever way the client said so, and what is attached; lists in order, and capabilities in the words of every CLI. */
function essence (value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(essence).sort()
  if (typeof value === 'string' && value !== '') return value.replace(/^CAP_/, '')
  if (typeof value !== 'object' || value === null) return value === '' || value === 0 || value === false || value === null ? undefined : value
  const entries = Object.entries(value).filter(([name]) => !/^(Attach|OpenStdin|StdinOnce|Entrypoint|Cmd)/.test(name)).map(([name, member]) => [name, essence(member)] as const).filter(([, member]) => member !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

t.teardown(async () => { await engine.call('test.volume', async (docker, abortSignal) => { await docker.getVolume(`${NAME}-volume`).remove({ force: true, abortSignal }).catch(() => {}) }) })

for (const [name, request] of REQUESTS) {
  t.test(`${name}: what the check tells is what the engine is asked, and what docker run does`, async (t) => {
    const body = { ...request, name: NAME, labels: { ...request.labels as object, ...TEST_LABELS } }
    const created = chaos.count('POST /containers/create')
    const { status, body: verdict } = await api.post<Verdict>('/policy/check', body)
    t.equal(status, 200)
    t.match(verdict, { allowed: true, denials: [], warnings: [] })
    t.equal(chaos.count('POST /containers/create'), created, 'the check makes nothing')

    const ran = await api.post<{ id: string }>('/containers/run', body)
    t.equal(ran.status, 201, JSON.stringify(ran.body))
    t.same(chaos.bodies('POST /containers/create').at(-1), verdict.payload)
    const product = await inspect(ran.body.id)
    await api.delete(`/containers/${ran.body.id}?force=true`)

    if (!hasCli) {
      t.comment('the docker CLI is not installed: its line was not run')
      return
    }
    const { stdout } = await run('sh', ['-c', verdict.command.replace(/^docker run( -d)?/, 'docker run -d')])
    const cli = await inspect(stdout.trim())
    t.same([cli.Path, cli.Args], [product.Path, product.Args])
    const hostname = request.hostname === undefined ? { Hostname: '' } : {}
    t.same(essence({ ...cli.Config, ...hostname }), essence({ ...product.Config, ...hostname }))
    t.same(essence(cli.HostConfig), essence(product.HostConfig))
    await run('docker', ['rm', '-f', stdout.trim()])
  })
}

t.test('a health check is the same but for the shell', async (t) => {
  const { body } = await api.post<Verdict>('/policy/check', { image, container_port: 80, healthcheck: { command: ['test', '-e', '/a b'], interval: 1.5, timeout: 2, retries: 3, start_period: 0 } })
  t.match(body.payload, { Healthcheck: { Test: ['CMD', 'test', '-e', '/a b'], Interval: 15e8 } })
  t.same(split(body.command).slice(-11, -1), ['--health-cmd', 'test -e \'/a b\'', '--health-interval', '1500000000ns', '--health-timeout', '2000000000ns', '--health-start-period', '0ns', '--health-retries', '3'])
})

t.test('every denial is listed, with the setting that would allow it', async (t) => {
  const { body } = await api.post<Verdict>('/policy/check', { image, container_port: 80, host_port: 80, network: 'host', volumes: ['/etc:/h', '/srv:/s'] })
  t.equal(body.allowed, false)
  t.same(body.denials.map(({ rule, setting }) => [rule, setting]).sort(), [['Mounts', undefined], ['Mounts', 'DOCKAPI_VOLUME_ROOTS'], ['NetworkMode', undefined], ['PortBindings', 'DOCKAPI_HOST_PORTS']])
  t.match(body.command, / --publish 127\.0\.0\.1:80:80\/tcp .* --network host /)
})

t.test('bad input is refused as a run refuses it; an image that is not there is not pulled', async (t) => {
  for (const [request, pointer] of [[{ image: 'NGINX' }, '/image'], [{ image, memory: '1m' }, '/memory'], [{ image, privileged: true }, '/privileged'], [{ image, volumes: ['x'] }, '/volumes/0'], [{ image, labels: { 'dockapi.owner': 'x' } }, '/labels/dockapi.owner']] as const) {
    t.match(await api.post('/policy/check', request), { status: 400, body: { errors: [{ pointer }] } }, pointer)
  }
  t.match(await api.post('/policy/check', { image }), { status: 400, body: { code: 'no_port' } })
  const { status, body } = await api.post<Verdict>('/policy/check', { image: 'registry.invalid/nothing:1' })
  t.equal(status, 200)
  t.match(body, { allowed: true, payload: { Image: 'registry.invalid/nothing:1' }, warnings: [/not on the engine/] })
  t.equal(chaos.count('POST /images/create'), 0)
})

t.test('what the token may not is part of the verdict', async (t) => {
  const { token } = app.tokens.create({ name: 'narrow', scopes: ['run'], images: ['allowed-*'], labels: { tenant: 'blue' }, limits: { memory: '64m', lifetime: '1h' } })
  const narrow = createClient(url, { authorization: `Bearer ${token}` })
  const denied = await narrow.post<Verdict>('/policy/check', { image, container_port: 80, volumes: [`${root}/data:/data`] })
  t.match(denied.body, { allowed: false, denials: [{ rule: 'Token', message: /allowed-\*/ }, { rule: 'Token', message: /folder of the host/ }] })
  const allowed = await narrow.post<Verdict>('/policy/check', { image: 'allowed-x', container_port: 80, volumes: ['cache:/cache'] })
  t.match(allowed.body, { allowed: true, payload: { Labels: { tenant: 'blue', 'dockapi.owner': 'narrow', 'dockapi.expires_at': /^20/ }, HostConfig: { Memory: 64 * 1024 ** 2, Mounts: [{ VolumeOptions: { Labels: { tenant: 'blue' } } }] } } })
  t.match(allowed.body.command, /--mount type=volume,source=cache,target=\/cache,volume-label=tenant=blue/)
  const reader = createClient(url, { authorization: `Bearer ${app.tokens.create({ name: 'reader', scopes: ['read'] }).token}` })
  t.match(await reader.post('/policy/check', { image }), { status: 403, body: { code: 'scope_missing' } })
})

t.end()
