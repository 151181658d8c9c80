import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { statusOf } from '../../plugins/errors.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createFilter } from '../../src/filter/filter.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket, engineAt } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABELS } from '../support/engine.ts'
import { connect, exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const NAME = `filter-${process.pid}`
const web = await startTestContainer(engine, { image, command: ['httpd', '-f', '-p', '80', '-h', '/etc'], name: NAME, port: 80, env: { PASSWORD: 'hunter2', VIRTUAL_HOST: `${NAME}.example.org` } })

/** A filter before a socket that counts what reaches the engine. */
async function openFilter (t: Test, sections: string, env: Record<string, string> = {}) {
  const chaos = await createChaosSocket(t)
  const config = loadConfig({ env: { DOCKAPI_FILTER: '127.0.0.1:0', DOCKAPI_FILTER_SECTIONS: sections, ...env } })
  const changes: unknown[] = []
  const refusals: unknown[] = []
  const filter = createFilter({
    config, engine: engineAt(t, { DOCKER_HOST: chaos.host }), statusOf, onChange: (change) => { changes.push(change) }, onRefusal: (refusal) => { refusals.push(refusal) }
  })
  t.after(() => {
    filter.destroy()
    return filter.close()
  })
  await filter.listen()
  return { changes, refusals, chaos, origin: filter.origin!, port: Number(new URL(filter.origin!).port) }
}

type Ended = { code: number, output: string }

/** The real docker command, through the filter. */
function docker (port: number, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKER_BUILDKIT: '0' }
    const child = execFile('docker', args, { env }, (error, stdout, stderr) => { resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }) })
    child.stdin!.end()
  })
}

const inspect = async (origin: string) => await (await fetch(`${origin}/containers/${NAME}/json`)).json() as { Config: { Env: string[] }, State: { Running: boolean } }

t.test('the docker command looks around', async (t) => {
  const { port } = await openFilter(t, 'CONTAINERS=1,networks')
  t.match(await docker(port, 'ps', '--no-trunc'), { code: 0, output: web.id })
  t.match(await docker(port, 'inspect', NAME), { code: 0, output: web.id })
  t.match(await docker(port, 'network', 'ls'), { code: 0, output: /bridge/ })
  t.match(await docker(port, 'network', 'inspect', 'bridge'), { code: 0, output: /IPAM/ })
  t.match(await docker(port, 'version'), { code: 0, output: /Server:[^]*API version/ })
  t.match(await docker(port, 'port', NAME), { code: 0, output: String(web.hostPort) })
  t.match(await docker(port, 'stats', '--no-stream', '--format', '{{.Name}}', NAME), { code: 0, output: NAME })
})

t.test('the docker command hears what happens', async (t) => {
  const { port } = await openFilter(t, 'containers,networks')
  const since = Math.floor(Date.now() / 1000)
  await engine.call('test.restart', (docker, abortSignal) => docker.getContainer(web.id).restart({ t: 0, abortSignal }))
  const events = await docker(port, 'events', '--since', String(since), '--until', String(since + 2))
  t.match(events, { code: 0, output: /container restart .*network|network connect[^]*container restart/ })
})

t.test('the docker command changes, enters and copies nothing, and is told why', async (t) => {
  const { port, chaos } = await openFilter(t, 'containers,networks,images')
  const refusals: Array<[args: string[], says: RegExp]> = [
    [['run', '--rm', image, 'true'], /never passes POST \/containers\/create/],
    [['exec', NAME, 'true'], /never passes POST \/containers\/\w[\w-]*\/exec/],
    [['rm', '-f', NAME], /never passes DELETE/],
    [['cp', `${NAME}:/etc/passwd`, '-'], /never passes (?:GET|HEAD) .*\/archive/],
    [['build', '--tag', NAME, t.testdir({ Dockerfile: 'FROM scratch\nLABEL a=b\n' })], /never passes POST \/build: a build runs commands/],
    [['swarm', 'init'], /never passes POST \/swarm\/init/],
    [['export', NAME], /never passes .*\/export/],
    [['commit', NAME], /never passes POST \/commit/],
    [['attach', NAME], /403/],
    [['pull', 'busybox:none'], /never passes POST \/images\/create/],
    [['save', image], /never passes GET \/images\/get/],
    [['logs', NAME], /it needs LOGS, which is off\. Add LOGS to DOCKAPI_FILTER_SECTIONS/],
    [['top', NAME], /it needs TOP, which is off/],
    [['volume', 'ls'], /it needs VOLUMES, which is off/],
    [['stop', NAME], /it needs ALLOW_STOP or ALLOW_RESTARTS or POST, which are off\. Add ALLOW_STOP to/],
    [['pause', NAME], /it needs POST, which is off/],
    [['info'], /it needs INFO, which is off/]
  ]
  for (const [args, says] of refusals) {
    const { code, output } = await docker(port, ...args)
    t.not(code, 0, args.join(' '))
    t.match(output, says)
  }
  t.same(chaos.requests.filter((line) => !/^(?:GET|HEAD) (?:\/v1\.\d+)?\/(?:_ping|version|containers\/[\w-]+\/json(?:$|\?)|images\/.*\/json)/.test(line)), [], 'the engine was asked nothing of it')
})

t.test('each switch opens its own part and no more', async (t) => {
  const paths: Array<[switches: string, path: string]> = [
    ['PING', '/_ping'], ['VERSION', '/version'], ['EVENTS', '/events?since=1&until=2'], ['CONTAINERS', '/containers/json'], ['NETWORKS', '/networks'], ['IMAGES', '/images/json'],
    ['VOLUMES', '/volumes'], ['INFO', '/info'], ['SYSTEM', '/system/df'], ['LOGS', `/containers/${NAME}/logs?stdout=1`], ['TOP', `/containers/${NAME}/top`]
  ]
  const none = 'events=0,ping=0,version=0'
  for (const [name] of paths) {
    const { origin } = await openFilter(t, `${none},${name}`)
    const statuses = await Promise.all(paths.map(async ([, path]) => {
      const response = await fetch(origin + path)
      await response.arrayBuffer()
      return response.status
    }))
    t.same(statuses, paths.map(([other]) => other === name ? 200 : 403), name)
  }
})

t.test('without any setting it answers pings, versions and events, and tells of nothing', async (t) => {
  const { origin } = await openFilter(t, '')
  t.match(await fetch(`${origin}/_ping`, { method: 'HEAD' }), { status: 200 })
  t.equal(await (await fetch(`${origin}/events?since=1&until=${Math.floor(Date.now() / 1000)}`)).text(), '')
  const refused = await fetch(`${origin}/v1.41/containers/json?all=1`)
  t.equal(refused.headers.get('content-type'), 'application/json')
  t.match({ status: refused.status, body: await refused.json() }, { status: 403, body: { message: /GET \/containers\/json: it needs CONTAINERS/, switches: ['CONTAINERS'] } })
})

t.test('clients find the version to speak, by GET and by HEAD', async (t) => {
  const { origin } = await openFilter(t, '')
  for (const method of ['GET', 'HEAD']) {
    const { headers } = await fetch(`${origin}/_ping`, { method })
    t.match(headers.get('api-version'), /^1\.\d+$/)
    t.equal(headers.get('ostype'), 'linux')
    t.ok(headers.has('docker-experimental'))
    t.match(headers.get('server'), /^Docker\//)
  }
})

t.test('what the engine says passes as it says it: documents byte for byte, failures with their sentence', async (t) => {
  const { origin, chaos } = await openFilter(t, 'containers')
  chaos.rule('GET /containers/json', { kind: 'answer', status: 200, body: '[{"Id":"a","SizeRw":9007199254740993,"Created" : 1.50}]\n', headers: { 'x-internal': 'yes' } })
  const list = await fetch(`${origin}/containers/json`)
  t.equal(await list.text(), '[{"Id":"a","SizeRw":9007199254740993,"Created" : 1.50}]\n')
  t.equal(list.headers.get('x-internal'), null)
  const missing = await fetch(`${origin}/containers/no-such-${NAME}/json`)
  t.match({ status: missing.status, body: await missing.json() }, { status: 404, body: { message: /No such container/ } })
  const old = await fetch(`${origin}/v1.999/containers/json`)
  t.equal(old.status, 200, 'answered by the rule')
  chaos.clear()
  t.match(await (await fetch(`${origin}/v1.999/containers/json`)).json(), { message: /client version 1\.999 is too new/ })
})

t.test('values of the environment stay here unless they are asked for by the setting', async (t) => {
  const { origin } = await openFilter(t, 'containers')
  const { Config: { Env }, State } = await inspect(origin)
  t.ok(Env.includes('PASSWORD=[redacted]'))
  t.ok(Env.includes(`VIRTUAL_HOST=${NAME}.example.org`), 'gateways read it')
  t.equal(State.Running, true)
  t.ok((await inspect((await openFilter(t, 'containers', { DOCKAPI_FILTER_ENV: 'shown' })).origin)).Config.Env.includes('PASSWORD=hunter2'))
})

t.test('commands in events stay here too, and every other byte of an event is the engine\'s', async (t) => {
  const { origin } = await openFilter(t, 'containers')
  const { origin: open } = await openFilter(t, 'containers', { DOCKAPI_FILTER_ENV: 'shown' })
  const since = Math.floor(Date.now() / 1000)
  await engine.call('test.exec', async (docker, abortSignal) => {
    const command = await docker.getContainer(web.id).exec({ Cmd: ['echo', 'swordfish'], AttachStdout: true, abortSignal })
    const stream = await command.start({ abortSignal })
    stream.resume()
    await once(stream, 'end')
  })
  const query = `/events?since=${since}&until=${Math.floor(Date.now() / 1000) + 1}&filters=${encodeURIComponent(JSON.stringify({ container: [web.id] }))}`
  const [hidden, shown] = await Promise.all([origin, open].map(async (base) => (await (await fetch(base + query)).text()).trim().split('\n')))
  t.match(shown!.find((line) => line.includes('exec_create')), /swordfish/)
  t.notMatch(hidden!.join('\n'), /swordfish/)
  t.match(hidden!.find((line) => line.includes('exec_create')), /"Action":"exec_create: \[redacted\]"/)
  const times = (lines: string[]) => lines.map((line) => /"timeNano":(\d+)/.exec(line)?.[1])
  t.same(times(hidden!), times(shown!), 'numbers beyond 2^53 included')
})

t.test('an event is told where the thing that it is about is shown', async (t) => {
  const since = Math.floor(Date.now() / 1000)
  const network = await engine.call('test.network', (docker, abortSignal) => docker.createNetwork({ Name: `${NAME}-net`, Labels: TEST_LABELS, abortSignal }))
  await engine.call('test.kill', (docker, abortSignal) => docker.getContainer(web.id).kill({ signal: 'SIGCONT', abortSignal }))
  const query = `/events?since=${since}&until=${Math.floor(Date.now() / 1000) + 1}`
  const seen = async (sections: string) => await (await fetch((await openFilter(t, sections)).origin + query)).text()
  const [containers, networks] = [await seen('containers'), await seen('networks')]
  t.match(containers, web.id)
  t.notMatch(containers, network.id)
  t.match(networks, network.id)
  t.notMatch(networks, '"Type":"container"')
})

t.test('named verbs are opened one by one, without a body; POST opens them all', async (t) => {
  const { port, origin, changes, refusals } = await openFilter(t, 'containers,allow_restarts')
  t.match(await docker(port, 'restart', '-t', '0', NAME), { code: 0 })
  t.match(await docker(port, 'kill', '-s', 'CONT', NAME), { code: 0 })
  t.match(await docker(port, 'pause', NAME), { output: /it needs POST, which is off/ })
  const body = JSON.stringify({ Privileged: true, Binds: ['/:/host'] })
  t.match(await fetch(`${origin}/v1.20/containers/${NAME}/restart`, { method: 'POST', body }), { status: 403 }, 'old engines took a HostConfig here')
  t.match(changes, [{ path: new RegExp(`^/v1\\.\\d+/containers/${NAME}/restart$`), status: 204 }, { path: new RegExp(`^/v1\\.\\d+/containers/${NAME}/kill$`), status: 204 }])
  t.match(refusals, [{ method: 'POST', path: new RegExp(`^/v1\\.\\d+/containers/${NAME}/pause$`), status: 403 }, { method: 'POST', status: 403 }])
  t.equal(changes.length, 2)
  const all = await openFilter(t, 'containers,post')
  for (const verb of ['pause', 'unpause', 'stop', 'start', 'start']) t.match(await docker(all.port, verb, NAME), { code: 0 }, verb)
  t.match(await docker(all.port, 'run', '--rm', image, 'true'), { output: /never passes POST \/containers\/create/ })
  for (const args of [['exec', NAME, 'true'], ['rm', '-f', NAME], ['rename', NAME, 'x'], ['update', '--memory', '1g', NAME], ['network', 'create', 'x']]) t.not((await docker(all.port, ...args)).code, 0, args.join(' '))
})

t.test('logs are opened by their own switch, in frames as the engine sends them', async (t) => {
  const { port } = await openFilter(t, 'containers,logs')
  const { id } = await startTestContainer(engine, { image, command: ['sh', '-c', 'echo out; echo err >&2'] })
  await engine.call('test.wait', (docker, abortSignal) => docker.getContainer(id).wait({ abortSignal }))
  t.match(await docker(port, 'logs', '-f', id), { code: 0, output: /out\n[^]*err\n/ })
})

t.test('what is written oddly reaches nobody', async (t) => {
  const { port, chaos } = await openFilter(t, 'containers,networks,images,volumes,info,post')
  const host = 'Host: 127.0.0.1\r\n'
  const odd: Array<[bytes: string, status: number]> = [
    [`GET /containers%2Fjson HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /v1.41/../containers/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /v1.41/containers/x/%2e%2e/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/../info HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /./containers/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`POST //containers/create HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`, 400],
    [`GET /containers//json HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json/ HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json;x=1 HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers\\json HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET http://127.0.0.1/containers/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`OPTIONS * HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json?all=1?all=0 HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json?all=1&all=0 HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json?filters=${'x'.repeat(9000)} HTTP/1.1\r\n${host}\r\n`, 400],
    [`GET /containers/json?fromImage=x HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /containers/x/top?ps_args=auxe HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /Containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /v2/containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /v1.41/v1.41/containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /libpod/containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`get /containers/json HTTP/1.1\r\n${host}\r\n`, 400],
    [`POST /containers/json HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`, 403],
    [`HEAD /containers/json HTTP/1.1\r\n${host}\r\n`, 403],
    [`GET /containers/x/attach/ws HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 403],
    [`GET /containers/json HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`, 403],
    [`POST /session HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, 403],
    [`POST /grpc HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`, 403],
    [`POST /exec/abc/start HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}`, 403],
    [`GET /containers/json HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`, 403],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`, 403],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`, 403],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Content-Length: 0\r\nContent-Length: 5\r\n\r\n`, 400],
    [`GET /containers/json HTTP/1.1\r\n${host}Host: other\r\n\r\n`, 400],
    ['GET /containers/json HTTP/1.1\r\n\r\n', 400],
    ['GET /containers/json HTTP/1.1\r\nHost: evil.example.org\r\n\r\n', 403],
    [`GET /containers/json HTTP/1.1\r\n${host}Origin: http://127.0.0.1:8080\r\n\r\n`, 403],
    [`POST /containers/x/start HTTP/1.1\r\n${host}Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n`, 403],
    ['GET /containers/json HTTP/1.1\nHost: 127.0.0.1\n\n', 400]
  ]
  for (const [bytes, status] of odd) {
    const answer = await exchange(t, port, bytes)
    t.equal(answer.status, status, JSON.stringify(bytes.slice(0, 120)))
    if (!bytes.startsWith('HEAD') && answer.body !== '') t.type((answer.json() as { message?: string }).message, 'string')
  }
  t.same(chaos.requests, [], 'no byte went to the engine')
})

t.test('a request behind one with a body or an upgrade is not taken for a new one', async (t) => {
  const { port, chaos } = await openFilter(t, 'containers,post')
  const smuggled = `POST /containers/${NAME}/kill HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`
  const body = await connect(t, port)
  await body.send(`POST /containers/x/start HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`)
  t.equal((await body.answer()).status, 403)
  const upgrade = await connect(t, port)
  await upgrade.send(`POST /exec/x/start HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n${smuggled}`)
  t.equal((await upgrade.answer()).status, 403)
  await upgrade.closed()
  t.same(chaos.requests, [])
})

t.test('a client that leaves ends its stream at the engine', async (t) => {
  const { origin, chaos } = await openFilter(t, 'containers')
  const before = chaos.connections.open
  const leaving = new AbortController()
  const response = await fetch(`${origin}/events`, { signal: leaving.signal })
  t.equal(response.status, 200, 'the head comes before the first event')
  await until(() => chaos.connections.open > before)
  const open = chaos.connections.open
  leaving.abort()
  await until(() => chaos.connections.open < open)
  t.equal(chaos.count('/events'), 1)
})

t.test('streams are bounded, and so is what the engine is asked at once', async (t) => {
  const { origin, chaos } = await openFilter(t, 'containers', { DOCKAPI_MAX_STREAMS: '2' })
  const streams = await Promise.all([fetch(`${origin}/events`), fetch(`${origin}/events`)])
  const third = await fetch(`${origin}/events`)
  t.match({ status: third.status, body: await third.json() }, { status: 429, body: { message: /open streams/ } })
  await streams[0].body!.cancel()
  await until(async () => {
    const response = await fetch(`${origin}/events`)
    await response.body!.cancel()
    return response.status === 200
  })
  await streams[1].body!.cancel()

  chaos.rule(`GET /containers/${NAME}/json`, { kind: 'hang' })
  const asking = Array.from({ length: 100 }, () => {
    const question = request(`${origin}/containers/${NAME}/json`)
    question.on('error', () => {}).end()
    return question
  })
  await until(() => chaos.count(`/containers/${NAME}/json`) >= 16)
  for (let round = 0; round < 10; round++) await (await fetch(`${origin}/events?since=1&until=2`)).text()
  t.equal(chaos.count(`/containers/${NAME}/json`), 16)
  for (const question of asking) question.destroy()
  chaos.clear()
  t.equal((await fetch(`${origin}/containers/${NAME}/json`)).status, 200, 'those that left gave their places back')
})

t.test('an engine that is away is told in its own form', async (t) => {
  const { port, chaos, origin } = await openFilter(t, 'containers')
  await chaos.stop()
  t.match(await docker(port, 'ps'), { code: 1, output: /Cannot reach the engine/ })
  await chaos.start()
  t.equal((await fetch(`${origin}/containers/json`)).status, 200)
})

t.test('the page of another socket proxy before the engine is made a sentence', async (t) => {
  const { chaos, origin } = await openFilter(t, 'images')
  chaos.rule('GET /images/json', { kind: 'answer', status: 403, type: 'text/html', body: '<html>403</html>' })
  const page = await fetch(`${origin}/images/json`)
  t.match({ status: page.status, body: await page.json() }, { status: 403, body: { message: /IMAGES is off/ } })
})

t.test('another dockAPI behind the filter discovers, routes, follows what happens and says what is off', async (t) => {
  const { port } = await openFilter(t, 'CONTAINERS,NETWORKS')
  const { app, url } = await listenTestApp(t, { DOCKER_HOST: `tcp://127.0.0.1:${port}`, DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_EXPOSE: 'all', DOCKAPI_SCOPE: 'all' })
  const api = createClient(url)
  const status = async (host: string) => (await exchange(t, app.gateway.port!, `GET /passwd HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status

  t.match((await api.get('/healthz')).body, { ok: true, engine: { version: /./, disabled: ['IMAGES', 'INFO'] } })
  t.match((await api.get(`/containers/${NAME}`)).body, { id: web.id, status: 'running' })
  await until(async () => await status(`${NAME}.example.org`) === 200)

  const late = await startTestContainer(engine, { image, command: ['httpd', '-f', '-p', '80'], name: `${NAME}-late`, port: 80 })
  await until(async () => (await api.get<Array<{ hosts: string[] }>>('/routes')).body.some((route) => JSON.stringify(route).includes(late.id)))
  await engine.call('test.remove', (docker, abortSignal) => docker.getContainer(late.id).remove({ force: true, abortSignal }))
  await until(async () => !(await api.get<Array<{ hosts: string[] }>>('/routes')).body.some((route) => JSON.stringify(route).includes(late.id)))

  t.match(await api.get('/images'), { status: 403, body: { code: 'feature_disabled', detail: /IMAGES is off/ } })
  t.match(await api.post(`/containers/${NAME}/stop`), { status: 403, body: { code: 'feature_disabled', detail: /ALLOW_STOP is off/ } })
  t.match(await api.run({ image, container_port: 80 }), { status: 403, body: { code: 'feature_disabled' } })
})

t.test('a verb that passes is an entry of the audit', async (t) => {
  const { app, url } = await listenTestApp(t, { DOCKAPI_FILTER: '127.0.0.1:0', DOCKAPI_FILTER_SECTIONS: 'ALLOW_START' })
  const api = createClient(url)
  const start = async (container: string) => (await fetch(`${app.filter.origin}/containers/${container}/start`, { method: 'POST' })).status
  t.equal(await start(NAME), 304)
  t.equal(await start(`no-${NAME}`), 404)
  t.match(await api.get('/audit?principal=filter'), {
    body: [
      { operation: 'startContainer', container: `no-${NAME}`, result: 'engine_refused', status: 404 },
      { operation: 'startContainer', container: NAME, result: 'ok', status: 304 }
    ]
  })
})

t.test('a stop of the server ends streams properly and lets answers finish', async (t) => {
  const chaos = await createChaosSocket(t)
  const { app } = await listenTestApp(t, { DOCKER_HOST: chaos.host, DOCKAPI_FILTER: '127.0.0.1:0' })
  const { origin } = app.filter
  const events = await fetch(`${origin}/events`)
  chaos.rule('GET /version', { kind: 'slice' })
  const answer = fetch(`${origin}/version`)
  await until(() => chaos.count('GET /version') > 1)
  const closing = app.close()
  t.equal(await events.text(), '', 'the end of the stream is no failure')
  t.match(await (await answer).json(), { ApiVersion: /./ })
  await closing
  await t.rejects(fetch(`${origin}/_ping`))
})

t.test('it listens only when it is told to, and says who can reach it', async (t) => {
  const filterAt = (address: string) => createFilter({ config: loadConfig({ env: { DOCKAPI_FILTER: address } }), engine, statusOf, onChange () {}, onRefusal () {} })
  const off = filterAt('')
  await off.listen()
  t.equal(off.origin, undefined)
  t.equal(filterAt('[::1]:0').warning, undefined)
  t.match(filterAt('0.0.0.0:0').warning, /no tokens/)
  const { origin } = await openFilter(t, '')
  await t.rejects(filterAt(new URL(origin).host).listen(), { code: 'EADDRINUSE' })
})

t.test('the program says where the filter is; a wrong switch or a taken port stops the start', async (t) => {
  const run = (env: Record<string, string>) => {
    const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: 'off', DOCKAPI_DATA_DIR: 'memory', DOCKAPI_LOG_LEVEL: 'silent', ...env } })
    t.after(() => child.kill())
    return child
  }
  const wrong = run({ DOCKAPI_FILTER: '127.0.0.1:0', DOCKAPI_FILTER_SECTIONS: 'containers,exec' })
  t.match(await text(wrong.stderr), /"exec", which the filter never opens: it runs commands in containers/)

  const running = run({ DOCKAPI_FILTER: '127.0.0.1:0', DOCKER_HOST: 'unix:///nowhere.sock' })
  let printed = ''
  for await (const line of createInterface(running.stdout)) {
    printed += `${line}\n`
    if (line.includes('Filter')) break
  }
  const [, address = ''] = /Filter {2}http:\/\/(127\.0\.0\.1:\d+)$/m.exec(printed) ?? []
  const refused = await fetch(`http://${address}/_ping`)
  t.match({ status: refused.status, body: await refused.json() }, { status: 503, body: { message: /nowhere\.sock does not exist/ } })

  const second = run({ DOCKAPI_FILTER: address })
  t.match(await text(second.stderr), `Port ${address.split(':')[1]} is taken on 127.0.0.1. Give DOCKAPI_FILTER another port`)
  running.kill('SIGTERM')
  t.same(await once(running, 'exit'), [0, null])
})

t.end()
