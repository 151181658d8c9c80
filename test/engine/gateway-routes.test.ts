import { writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import type { Explanation } from '../../schemas/explain.ts'
import type { RouteInfo } from '../../schemas/routes.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createTestEngine, nodeImage, startTestContainer } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

type Seen = { method: string, url: string, headers: Record<string, string>, id: string }

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const command = ['node', '--input-type=module', '--eval', APPLICATION]
const dataDir = t.testdir()
const middlewaresFile = join(dataDir, 'middlewares.yaml')
const sha = (password: string) => `{SHA}${createHash('sha1').update(password).digest('base64')}`
await writeFile(middlewaresFile, `http:\n  middlewares:\n    auth:\n      basicAuth:\n        users:\n          - "ada:${sha('lovelace')}"\n`)
const { app, url } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_DATA_DIR: dataDir, DOCKAPI_MIDDLEWARES_FILE: middlewaresFile })
const api = createClient(url)
const port = app.gateway.port!
const PREFIX = `gr${process.pid}`

const start = (name: string, labels: Record<string, string>) => startTestContainer(engine, { image, command, port: 8080, name: `${PREFIX}-${name}`, labels: { 'dockapi.enable': 'true', ...labels } })
const ask = (t: Test, host: string, { line = 'GET / HTTP/1.1', headers = '' } = {}) => exchange(t, port, `${line}\r\nHost: ${host}\r\n${headers}\r\n`)
const seen = async (t: Test, host: string, options?: { line?: string, headers?: string }) => (await ask(t, host, options)).json() as unknown as Seen
const answers = (t: Test, host: string, options?: { line?: string, headers?: string }, status = 200) => until(async () => (await ask(t, host, options)).status === status)
const explain = async (text: string) => (await api.get<Explanation>(`/routes/explain?url=${encodeURIComponent(text)}`)).body

t.test('labels: a front-end and an API below one host, prefix stripped, each at its port', async (t) => {
  const host = `${PREFIX}-shop.localhost`
  const project = { 'com.docker.compose.project': `${PREFIX}shop` }
  const front = await start('front', { ...project, 'com.docker.compose.service': 'front', 'dockapi.rule': `Host(\`${host}\`)` })
  const back = await start('back', { ...project, 'com.docker.compose.service': 'back', 'dockapi.rule': `Host(\`${host}\`) && PathPrefix(\`/api\`)`, 'dockapi.strip_prefix': '/api' })
  await answers(t, host)
  await answers(t, host, { line: 'GET /api/x HTTP/1.1' })
  t.ok(front.id.startsWith((await seen(t, host)).id))
  const api = await seen(t, host, { line: 'GET /api/items?page=1 HTTP/1.1' })
  t.ok(back.id.startsWith(api.id))
  t.match(api, { url: '/items?page=1', headers: { 'x-forwarded-prefix': '/api' } })
})

t.test('Traefik\'s labels work as they are: password by a file\'s middleware, headers, sticky', async (t) => {
  const host = `${PREFIX}-legacy.localhost`
  const router = 'traefik.http.routers.legacy'
  const labels = {
    'traefik.enable': 'true',
    [`${router}.rule`]: `Host(\`${host}\`)`,
    [`${router}.entrypoints`]: 'websecure',
    [`${router}.tls.certresolver`]: 'letsencrypt',
    [`${router}.middlewares`]: 'auth@file,tags',
    'traefik.http.middlewares.tags.headers.customresponseheaders.X-Tag': 'blue',
    'traefik.http.services.legacy.loadbalancer.server.port': '8080',
    'traefik.http.services.legacy.loadbalancer.sticky.cookie.name': 'stick'
  }
  const project = { 'com.docker.compose.project': PREFIX, 'com.docker.compose.service': 'legacy' }
  await Promise.all(['legacy-1', 'legacy-2'].map((name) => start(name, { ...project, ...labels })))
  const login = `Authorization: Basic ${Buffer.from('ada:lovelace').toString('base64')}\r\n`
  await answers(t, host, { headers: login })
  t.equal((await ask(t, host)).status, 401)
  t.equal((await ask(t, host, { headers: 'Authorization: Basic YWRhOng=\r\n' })).status, 401)
  const first = await ask(t, host, { headers: login })
  t.equal(first.header('x-tag'), 'blue')
  const cookie = /^stick=[^;]+/.exec(first.header('set-cookie') ?? '')?.[0]
  t.ok(cookie)
  const ids = await Promise.all(Array.from({ length: 6 }, async () => (await seen(t, host, { headers: `${login}Cookie: ${cookie}\r\n` })).id))
  t.same([...new Set(ids)], [(first.json() as unknown as Seen).id], 'the client stays where it was')
  t.match((await api.get<RouteInfo[]>('/routes')).body.find(({ name }) => name === 'legacy'), { middlewares: ['auth@file', 'tags'], problems: [], upstreams: { length: 2 } })
})

t.test('forward_auth of a label asks a container of its network, and nothing else', async (t) => {
  const [inside, outside] = [`${PREFIX}-inside.localhost`, `${PREFIX}-outside.localhost`]
  const guard = await startTestContainer(engine, {
    image,
    name: `${PREFIX}-guard`,
    command: ['node', '--input-type=module', '--eval', `
    import { createServer } from 'node:http'
    createServer(({ headers }, response) => response.writeHead(headers['x-key'] === 'good' ? 200 : 403, { 'x-user': 'ada' }).end('no')).listen(9091)`]
  })
  const labels = (host: string, address: string) => ({
    'traefik.enable': 'true',
    [`traefik.http.routers.${host.slice(0, -10)}.rule`]: `Host(\`${host}\`)`,
    [`traefik.http.routers.${host.slice(0, -10)}.middlewares`]: `${host.slice(0, -10)}-auth`,
    [`traefik.http.middlewares.${host.slice(0, -10)}-auth.forwardauth.address`]: address,
    [`traefik.http.middlewares.${host.slice(0, -10)}-auth.forwardauth.authresponseheaders`]: 'X-User'
  })
  await start('inside', labels(inside, `http://${PREFIX}-guard:9091/check`))
  await start('outside', labels(outside, `http://127.0.0.1:${new URL(url).port}/healthz`))
  await answers(t, inside, { headers: 'X-Key: good\r\n' })
  t.equal((await seen(t, inside, { headers: 'X-Key: good\r\nX-User: eve\r\n' })).headers['x-user'], 'ada')
  t.equal((await ask(t, inside)).status, 403)
  await answers(t, outside, {}, 502)
  t.match((await ask(t, outside)).json(), { code: 'auth_server_failed' })
  t.ok(guard.id)
})

t.test('routes of the API: to a container and to a server, kept, replaced, removed and brought back', async (t) => {
  const one = await start('one', {})
  await answers(t, `${PREFIX}-one.localhost`)
  const created = await api.post<RouteInfo>('/routes', { name: `${PREFIX}-static`, rule: `Host(\`${PREFIX}-static.localhost\`)`, service: `${PREFIX}-one` })
  t.equal(created.status, 201)
  t.equal(created.headers.get('location'), `/routes/${PREFIX}-static@api`)
  t.ok(one.id.startsWith((await seen(t, `${PREFIX}-static.localhost`)).id))
  t.match(await api.post('/routes', { name: `${PREFIX}-static`, rule: 'Host(`x.y`)', service: 'x' }), { status: 409, body: { code: 'route_exists' } })
  const replaced = await api.call<RouteInfo>('PUT', `/routes/${PREFIX}-static@api`, { name: `${PREFIX}-static`, rule: `Host(\`${PREFIX}-server.localhost\`)`, upstreams: [{ url: `http://127.0.0.1:${one.hostPort}` }] })
  t.match(replaced.body, { upstreams: [{ container_id: null, address: `http://127.0.0.1:${one.hostPort}` }] })
  t.ok(one.id.startsWith((await seen(t, `${PREFIX}-server.localhost`)).id))
  t.equal((await ask(t, `${PREFIX}-static.localhost`)).status, 404)
  t.equal((await fetch(`${url}/routes/${PREFIX}-static`, { method: 'DELETE' })).status, 204)
  t.equal((await ask(t, `${PREFIX}-server.localhost`)).status, 404)
  t.match((await api.post(`/routes/${PREFIX}-static@api/undo`)).body, { document: { upstreams: [{}] } })
  t.equal((await ask(t, `${PREFIX}-server.localhost`)).status, 200)
  t.match((await api.post(`/routes/${PREFIX}-static@api/undo`)).body, { document: { service: `${PREFIX}-one` } })
  t.equal((await ask(t, `${PREFIX}-static.localhost`)).status, 200)
  t.match((await api.get(`/routes/${PREFIX}-static@api/versions`)).body, { length: 5 })
})

t.test('S11: wrong routes are refused with the field, and none leads to dockAPI or where nobody may go', async (t) => {
  const bad: Array<[object, RegExp]> = [
    [{ rule: 'Hots(`a`)', service: 'x' }, /rule: .*character 1/],
    [{ rule: 'Host(`a.b`)' }, /upstreams: is needed/],
    [{ rule: 'Host(`a.b`)', service: 'x', upstreams: [{ url: 'http://10.0.0.1' }] }, /not both/],
    [{ rule: 'Host(`a.b`)', upstreams: [{ url: 'http://169.254.169.254' }] }, /upstreams\.0\.url: .*never dialled/],
    [{ rule: 'Host(`a.b`)', upstreams: [{ url }] }, /dockAPI itself/],
    [{ rule: 'Host(`a.b`)', upstreams: [{ url: `http://localhost:${port}` }] }, /dockAPI itself/],
    [{ rule: 'Host(`a.b`)', upstreams: [{ url: 'ftp://10.0.0.1' }] }, /upstreams\.0\.url/],
    [{ rule: 'Host(`a.b`)', service: 'x', sevice: 1 }, /sevice is not a known field/]
  ]
  for (const [body, message] of bad) t.match(await api.post('/routes', { name: 'bad', ...body }), { status: 400, body: { code: 'invalid_request', detail: message } }, message.source)
  t.match(await api.get('/routes/nobody'), { status: 404, body: { code: 'setting_not_found' } })
  t.match(await api.call('PUT', `/routes/${PREFIX}-one@docker`, { name: 'x', rule: 'Host(`a`)', service: 'x' }), { status: 409, body: { code: 'route_of_labels' } })
  t.equal((await api.post('/routes', { name: `${PREFIX}-meta`, rule: `Host(\`${PREFIX}-meta.localhost\`)`, upstreams: [{ url: 'http://metadata.nip.invalid:80' }] })).status, 201)
  t.equal((await ask(t, `${PREFIX}-meta.localhost`)).status, 502)
})

t.test('overrides change what labels say, by the API\'s middlewares too, and outlive a restart of dockAPI', async (t) => {
  const { id } = await start('fixed', { 'dockapi.rule': `Host(\`${PREFIX}-fixed.localhost\`)` })
  await answers(t, `${PREFIX}-fixed.localhost`)
  const route = `${PREFIX}-fixed@docker`
  t.match(await api.call('PUT', `/routes/${route}/override`, { rule: `Host(\`${PREFIX}-moved.localhost\`)`, middlewares: [`${PREFIX}-gone`] }), { status: 200, body: { overridden: true, problems: [/is not defined/] } })
  t.match(await ask(t, `${PREFIX}-moved.localhost`), { status: 503 })
  t.match((await explain(`http://${PREFIX}-moved.localhost/`)), { outcome: 'blocked' })
  t.equal((await api.call('PUT', `/middlewares/${PREFIX}-gone`, { headers: { custom_response_headers: { 'X-Here': 'yes' } } })).status, 200)
  t.equal((await ask(t, `${PREFIX}-moved.localhost`)).header('x-here'), 'yes')
  t.equal((await ask(t, `${PREFIX}-fixed.localhost`)).status, 404)
  const again = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_DATA_DIR: dataDir })
  await until(async () => (await exchange(t, again.app.gateway.port!, `GET / HTTP/1.1\r\nHost: ${PREFIX}-moved.localhost\r\n\r\n`)).status === 200)
  t.equal((await fetch(`${url}/routes/${route}/override`, { method: 'DELETE' })).status, 204)
  t.ok(id.startsWith((await seen(t, `${PREFIX}-fixed.localhost`)).id))
})

t.test('explain says of a container with rules of its own why its name leads nowhere', async (t) => {
  const rule = `Host(\`${PREFIX}-elsewhere.localhost\`) && PathPrefix(\`/app\`)`
  await start('ruled', { 'dockapi.rule': rule })
  await answers(t, `${PREFIX}-elsewhere.localhost`, { line: 'GET /app HTTP/1.1' })
  t.match(await explain(`http://${PREFIX}-ruled.localhost/`), { outcome: 'no_route', skipped: [{ container: `${PREFIX}-ruled`, reason: new RegExp(`${PREFIX}-elsewhere`) }] })
  const ruled = `/routes/${PREFIX}-ruled@docker/override`
  t.match(await api.call('PUT', ruled, { enabled: false }), { status: 200 })
  t.match(await explain(`http://${PREFIX}-ruled.localhost/`), { skipped: [{ container: `${PREFIX}-ruled`, reason: 'The API switched it off.' }] })
  t.match(await api.post(`/routes/${PREFIX}-ruled@docker/undo`), { status: 200 })
  t.match(await api.get(`/containers/${PREFIX}-ruled`), { body: { urls: { host: `http://${PREFIX}-elsewhere.localhost:${port}/app` } } })
})

t.test('a route is changed by its id, whatever characters nginx-proxy\'s variables brought into it', async (t) => {
  const host = `${PREFIX}-virtual.localhost`
  await startTestContainer(engine, { image, command, port: 8080, name: `${PREFIX}-virtual`, env: { VIRTUAL_HOST: `${host},*.${host}`, VIRTUAL_PATH: '/app/' }, labels: { 'dockapi.enable': 'true' } })
  await answers(t, host, { line: 'GET /app/ HTTP/1.1' })
  for (const id of [`${host}/app/@docker`, `*.${host}/app/@docker`]) {
    const path = `/routes/${encodeURIComponent(id)}`
    t.match(await api.get(path), { status: 200, body: { id } })
    t.match(await api.call('PUT', `${path}/override`, { priority: 7 }), { status: 200, body: { id, priority: 7, overridden: true } })
    t.match(await api.get(`${path}/versions`), { status: 200, body: [{ document: { priority: 7 } }] })
    t.match(await api.post(`${path}/undo`), { status: 200, body: { document: null } })
  }
})

t.test('a route of the API may lead to a port that the container does not expose', async (t) => {
  const source = APPLICATION.replace('listen(8080)', 'listen(8123)')
  const { id } = await startTestContainer(engine, { image, command: ['node', '--input-type=module', '--eval', source], name: `${PREFIX}-port`, labels: { 'dockapi.enable': 'true' } })
  const host = `${PREFIX}-by-port.localhost`
  await until(async () => (await api.get(`/routes/${PREFIX}-port@docker`)).status === 200)
  t.match(await api.post('/routes', { name: host, rule: `Host(\`${host}\`)`, service: `${PREFIX}-port`, port: 8123 }), { status: 201, body: { upstreams: [{ port: 8123, address: /:8123$/ }] } })
  await answers(t, host)
  t.ok(id.startsWith((await seen(t, host)).id))
})

t.test('a middleware that means nothing is refused, with the field, and what was before stays', async (t) => {
  const path = `/middlewares/${PREFIX}-checked`
  t.match(await api.call('PUT', path, { add_prefix: { prefix: '/x' } }), { status: 200 })
  const wrong = [
    [{ redirect_regex: { regex: '(', replacement: '/' } }, '/redirect_regex/regex'],
    [{ basic_auth: { users: ['ada:plain'] } }, '/basic_auth/users/0'],
    [{ ip_allow_list: { source_range: ['10.0.0.0/99'] } }, '/ip_allow_list/source_range/0']
  ]
  for (const [definition, pointer] of wrong) t.match(await api.call('PUT', path, definition), { status: 400, body: { code: 'invalid_request', errors: [{ pointer }] } })
  t.match((await api.get<Array<{ name: string, definition: unknown }>>('/middlewares')).body.find(({ name }) => name === `${PREFIX}-checked`), { definition: { add_prefix: { prefix: '/x' } } })
  t.match(await api.call('PUT', path, { chain: { middlewares: ['later'] } }), { status: 200 })
})

t.test('a server whose name nobody knows is told from one that refuses', async (t) => {
  await api.post('/routes', { name: `${PREFIX}-lost`, rule: `Host(\`${PREFIX}-lost.localhost\`)`, upstreams: [{ url: 'http://nowhere.invalid:1' }] })
  t.match((await ask(t, `${PREFIX}-lost.localhost`)).json(), { code: 'upstream_failed', detail: /name of the server/, hint: /URL of the upstream/ })
})

t.test('explain says what answers, what nearly does, and which container is hidden', async (t) => {
  await startTestContainer(engine, { image, command, name: `${PREFIX}-hidden`, port: 8080 })
  t.match(await explain(`${PREFIX}-one.localhost:8080/a?b=c`), { outcome: 'answers', host: `${PREFIX}-one.localhost`, route: { name: `${PREFIX}-one`, upstreams: [{ state: 'up', reason: /published/ }] }, candidates: [{ matches: true, reason: 'It is taken.' }] })
  t.match(await explain(`http://${PREFIX}-hidden.localhost/`), { outcome: 'no_route', route: null, skipped: [{ container: `${PREFIX}-hidden`, reason: /dockapi\.enable=true/ }] })
  await start('rival', { 'dockapi.routes.other.rule': `Host(\`${PREFIX}-elsewhere.localhost\`)` })
  await until(async () => (await api.get('/routes/other')).status === 200)
  t.match(await explain(`http://${PREFIX}-elsewhere.localhost/`), { skipped: [{ container: `${PREFIX}-rival`, reason: /belongs to/ }] })
  t.match(await explain(`http://${PREFIX}-onee.localhost/`), { suggestion: `${PREFIX}-one.localhost` })
  t.match(await explain('http://xyz.localhost/'), { suggestion: null }, 'a domain in common is no likeness')
  t.match(await explain(`wss://${PREFIX}-one.localhost/ws`), { outcome: 'answers', host: `${PREFIX}-one.localhost` })
  for (const text of ['http://%00', 'ftp://one.localhost/']) t.match(await api.get(`/routes/explain?url=${text}`), { status: 400, body: { errors: [{ pointer: '/url' }] } }, text)
  t.match(await api.get('/routes/explain'), { status: 400, body: { errors: [{ pointer: '/url' }] } })
})

t.test('replicas: as many as wanted, like the first, in turn behind its host; the newest go first', async (t) => {
  const run = await api.run<{ id: string, name: string }>({ image, command, container_port: 8080, name: `${PREFIX}-many`, wait_ready: true, env: { KEY: 'value' }, memory: '96m' })
  const { status, body } = await api.call<{ replicas: number, url: string, containers: Array<{ id: string, name: string, labels: Record<string, string> }> }>('PUT', `/containers/${PREFIX}-many/replicas`, { replicas: 3, wait_ready: true })
  t.equal(status, 200)
  t.match(body, { replicas: 3, url: `http://${PREFIX}-many.localhost:${port}/`, containers: [{ id: run.body.id }, { name: `${PREFIX}-many-2` }, { name: `${PREFIX}-many-3` }] })
  await until(() => app.gateway.routes().find(({ name }) => name === `${PREFIX}-many`)?.upstreams.filter(({ state }) => state === 'up').length === 3)
  const ids = await Promise.all(Array.from({ length: 12 }, async () => (await seen(t, `${PREFIX}-many.localhost`)).id))
  for (const { id } of body.containers) t.equal(ids.filter((short) => id.startsWith(short)).length, 4)
  const copy = await engine.call('inspect', (docker) => docker.getContainer(body.containers[2]!.id).inspect())
  t.match(copy, { Config: { Env: /KEY=value/ }, HostConfig: { Memory: 96 * 1024 ** 2, SecurityOpt: ['no-new-privileges'] } })
  t.match(await api.call('PUT', `/containers/${PREFIX}-many-3/replicas`, { replicas: 1 }), { status: 200, body: { replicas: 1, containers: [{ id: run.body.id }] } })
  t.match(await api.call('PUT', `/containers/${PREFIX}-many/replicas`, { replicas: 0 }), { status: 400 })
  const strong = await startTestContainer(engine, { image, command, name: `${PREFIX}-strong`, labels: { 'dockapi.enable': 'true' }, hostConfig: { PidMode: 'host' } })
  t.match(await api.call('PUT', `/containers/${strong.id}/replicas`, { replicas: 2 }), { status: 403, body: { code: 'policy_denied' } })
})

t.end()
