import { once } from 'node:events'
import t from 'tap'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABELS } from '../support/engine.ts'
import { docker, openFilter } from '../support/filter.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const NAME = `filter-${process.pid}`
const web = await startTestContainer(engine, { image, command: ['httpd', '-f', '-p', '80', '-h', '/etc'], name: NAME, port: 80, env: { PASSWORD: 'hunter2', VIRTUAL_HOST: `${NAME}.example.org` } })

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
