import { randomUUID } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { ContainerInfo, RunResult } from '../../schemas/containers.ts'
import type { Problem } from '../../schemas/problem.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, TEST_LABEL, TEST_RUN } from '../support/engine.ts'

const HTTPD = ['sh', '-c', 'mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 80 -h /www']

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)
const uniqueName = () => `run-${randomUUID().slice(0, 8)}`

async function containersOfThisTest () {
  return (await api.get<ContainerInfo[]>(`/containers?label=${TEST_LABEL}%3D${TEST_RUN}`)).body
}

t.test('the answer is the contract\'s, and its URL works at once', async (t) => {
  const name = uniqueName()
  const { status, headers, body } = await api.run<RunResult>({ image, container_port: 80, name, command: HTTPD, wait_ready: true, health_path: '/' })
  t.equal(status, 201)
  t.equal(headers.get('location'), `/containers/${body.id}`)
  t.match(body, { name, image, status: 'running', container_port: 80, warnings: [] })
  t.match(body.labels, { 'dockapi.managed': 'true', 'dockapi.name': name, 'dockapi.container_port': '80' })
  t.match(body.id, /^[0-9a-f]{64}$/)
  t.same(body.ports, [{ container_port: 80, protocol: 'tcp', host_ip: '127.0.0.1', host_port: body.host_port }])
  const answer = await fetch(body.urls.direct!)
  t.equal(await answer.text(), 'hello\n')
  t.same((await api.get(`/containers/${body.id}`)).body, (await api.get(`/containers/${name}`)).body)
})

t.test('limits and no-new-privileges are set without asking', async (t) => {
  const { body } = await api.run<RunResult>({ image, container_port: 80, command: HTTPD })
  const { body: { raw } } = await api.get<{ raw: { HostConfig: object } }>(`/containers/${body.id}?raw=true`)
  t.match(raw.HostConfig, { Memory: 1024 ** 3, NanoCpus: 1e9, PidsLimit: 512, SecurityOpt: ['no-new-privileges'], Privileged: false, NetworkMode: 'default' })
})

t.test('what is asked for reaches the container', async (t) => {
  const { status, body } = await api.run<RunResult>({
    image,
    detach: false,
    env: { GREETING: 'good day' },
    workdir: '/tmp',
    user: '1000:1000',
    hostname: 'box',
    memory: '64m',
    tmpfs: ['/scratch:size=1m'],
    read_only: true,
    init: true,
    command: 'sh -c "echo $GREETING; pwd; id -u; hostname; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; touch /x 2>&1; df /scratch | tail -1"'
  })
  t.equal(status, 201)
  t.match(body.stdout, /^good day\n\/tmp\n1000\nbox\n67108864\n.*Read-only file system\n.*1024.*\/scratch/)
})

t.test('detach: false answers with exit code and both outputs', async (t) => {
  const { status, body } = await api.run<RunResult>({ image, detach: false, auto_remove: true, command: ['sh', '-c', 'echo out; echo err >&2; exit 3'] })
  t.equal(status, 201)
  t.match(body, { exit_code: 3, stdout: 'out\n', stderr: 'err\n', truncated: false, status: 'exited' })
})

t.test('output beyond the limit is cut and told', async (t) => {
  const { body } = await api.run<RunResult>({ image, detach: false, auto_remove: true, command: ['sh', '-c', 'yes | head -c 3000000'] })
  t.equal(body.stdout!.length, 1024 ** 2)
  t.equal(body.truncated, true)
  t.equal(body.exit_code, 0)
})

t.test('detach: false that does not end in time is a 504 with the id, and the container is kept', async (t) => {
  const { status, body } = await api.run<Problem & { id: string }>({ image, detach: false, wait_timeout: 0.5, command: 'sleep 60' })
  t.equal(status, 504)
  t.equal(body.code, 'still_running')
  t.equal((await api.get<ContainerInfo>(`/containers/${body.id}`)).body.status, 'running')
})

t.test('auto_remove wins over restart_policy, with a warning', async (t) => {
  const { status, body } = await api.run<RunResult>({ image, container_port: 80, command: HTTPD, auto_remove: true, restart_policy: 'unless-stopped' })
  t.equal(status, 201)
  t.match(body.warnings, [/restart_policy/])
  await api.post(`/containers/${body.id}/stop?timeout=0`)
  t.equal((await api.get(`/containers/${body.id}`)).status, 410)
})

t.test('without health_path or HEALTHCHECK a TCP connection counts, and an accepting forwarder does not', async (t) => {
  const ready = await api.run<RunResult>({ image, container_port: 80, wait_ready: true, command: ['sh', '-c', 'sleep 1; exec httpd -f -p 80'] })
  t.equal(ready.status, 201)
  const answer = await fetch(ready.body.urls.direct!)
  t.equal(answer.status, 404, 'the application itself answers')
  const never = await api.run<Problem>({ image, container_port: 80, wait_ready: true, wait_timeout: 1, command: 'sleep 60' })
  t.equal(never.status, 504)
})

t.test('a HEALTHCHECK decides when there is one', async (t) => {
  const healthcheck = { command: 'test -e /healthy', interval: 0.2, retries: 100 }
  const { status, body } = await api.run<RunResult>({ image, container_port: 80, wait_ready: true, healthcheck, command: ['sh', '-c', 'sleep 1; touch /healthy; exec httpd -f -p 80'] })
  t.equal(status, 201)
  t.equal(body.health, 'healthy')
})

t.test('not ready in time is a 504 that says all, and the container is kept', async (t) => {
  const { status, headers, body } = await api.run<Problem & { id: string }>({ image, container_port: 80, wait_ready: true, health_path: '/missing', wait_timeout: 1, command: ['sh', '-c', 'echo starting up; exec httpd -f -p 80'] })
  t.equal(status, 504)
  t.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8')
  t.match(body, { code: 'not_ready', state: 'running', exit_code: null, last_probe: 'GET /missing answered 404', log_tail: ['starting up'] })
  t.equal((await api.get(`/containers/${body.id}`)).status, 200)
})

t.test('S11: a redirect is not followed', async (t) => {
  const { status, body } = await api.run<Problem & { last_probe: string }>({ image, container_port: 80, wait_ready: true, health_path: '/dir', wait_timeout: 1, command: ['sh', '-c', 'mkdir -p /www/dir; exec httpd -f -p 80 -h /www'] })
  t.equal(status, 504)
  t.match(body.last_probe, /GET \/dir answered 30[12]/)
})

for (const isEphemeral of [false, true]) {
  t.test(`a container that ends ends the wait at once (auto_remove: ${isEphemeral})`, async (t) => {
    const startedMs = Date.now()
    const { status, body } = await api.run<Problem>({ image, container_port: 80, wait_ready: true, wait_timeout: 60, auto_remove: isEphemeral, command: ['sh', '-c', 'echo cannot open database; exit 7'] })
    t.equal(status, 504)
    t.match(body, { code: 'container_exited', exit_code: 7, log_tail: ['cannot open database'] })
    t.ok(Date.now() - startedMs < 30_000, 'long before the timeout')
  })
}

t.test('the client going away ends the wait, not the container', async (t) => {
  const name = uniqueName()
  const leaving = new AbortController()
  const body = JSON.stringify({ image, container_port: 80, name, wait_ready: true, health_path: '/never', labels: { [TEST_LABEL]: TEST_RUN }, command: HTTPD })
  const request = fetch(`${url}/containers/run`, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: leaving.signal })
  request.catch(() => {})
  const isRunning = async () => (await api.get<ContainerInfo>(`/containers/${name}`)).body.status === 'running'
  while (!await isRunning());
  leaving.abort()
  await t.rejects(request)
  t.ok(await isRunning())
})

t.test('if_exists: fail, reuse, replace', async (t) => {
  const name = uniqueName()
  const first = await api.run<RunResult>({ image, container_port: 80, name, command: HTTPD })
  const refused = await api.run<Problem>({ image, container_port: 80, name, command: HTTPD })
  t.match(refused, { status: 409, body: { code: 'name_conflict' } })
  await api.post(`/containers/${name}/stop?timeout=0`)
  const reused = await api.run<RunResult>({ image, container_port: 80, name, command: HTTPD, if_exists: 'reuse', wait_ready: true })
  t.match(reused, { status: 200, body: { id: first.body.id, status: 'running' } })
  const replaced = await api.run<RunResult>({ image, container_port: 80, name, command: HTTPD, if_exists: 'replace' })
  t.equal(replaced.status, 201)
  t.not(replaced.body.id, first.body.id)
})

t.test('several ports are published, each once', async (t) => {
  const { body } = await api.run<RunResult>({ image, container_port: 80, command: HTTPD, ports: [{ container_port: 81 }, { container_port: 53, protocol: 'udp' }] })
  t.equal(body.ports.length, 3)
  t.ok(body.ports.every(({ host_ip: hostIp, host_port: hostPort }) => hostIp === '127.0.0.1' && hostPort! > 0))
  const twice = await api.run<Problem>({ image, container_port: 80, ports: [{ container_port: 80 }] })
  t.match(twice, { status: 400, body: { errors: [{ pointer: '/ports/0' }] } })
})

t.test('twenty runs at once get twenty ports', async (t) => {
  const runs = await Promise.all(Array.from({ length: 20 }, () => api.run<RunResult>({ image, container_port: 80, command: 'sleep 60' })))
  t.same(new Set(runs.map(({ status }) => status)), new Set([201]))
  t.equal(new Set(runs.map(({ body }) => body.host_port)).size, 20)
})

t.test('what cannot be run leaves nothing behind', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1')
  t.after(() => holder.close())
  await new Promise((resolve) => holder.once('listening', resolve))
  const taken = (holder.address() as AddressInfo).port
  const before = (await containersOfThisTest()).length
  const name = uniqueName()
  const cases: Array<[string, Record<string, unknown>, number, string]> = [
    ['a taken host port', { image, container_port: 80, host_port: taken, name }, 400, 'port_conflict'],
    ['a command that does not exist', { image, container_port: 80, name, command: ['no-such-program'] }, 400, 'invalid_command'],
    ['a network that does not exist', { image, container_port: 80, name, network: 'no-such-network' }, 400, 'network_not_found'],
    ['an image that is not here', { image: 'dockapi-no-such-image:1', container_port: 80, name, pull: 'never' }, 400, 'image_not_local'],
    ['a registry that is not there', { image: '127.0.0.1:1/nothing:1', container_port: 80, name }, 400, 'registry_unreachable']
  ]
  for (const [what, body, status, code] of cases) {
    const answer = await api.run<Problem>(body)
    t.match(answer, { status, body: { code } }, what)
  }
  t.equal((await containersOfThisTest()).length, before)
  t.equal((await api.run({ image, container_port: 80, name, command: HTTPD })).status, 201, 'the name is free again')
})

t.end()
