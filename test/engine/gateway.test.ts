import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import type { ContainerInfo, RunResult } from '../../schemas/containers.ts'
import type { RouteInfo } from '../../schemas/routes.ts'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { renameContainer, stopContainer } from '../../src/engine/containers.ts'
import { createClient } from '../support/api.ts'
import { createTestApp, listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { createTestEngine, nodeImage, startTestContainer } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { connect, exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

type Seen = { method: string, url: string, headers: Record<string, string>, id: string }

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const command = ['node', '--input-type=module', '--eval', APPLICATION]
const { app, url } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0' })
const api = createClient(url)
const port = Number(new URL(app.gateway.address!.replace('<name>', 'x')).port)
const PREFIX = `gw${process.pid}`

async function run (body: Record<string, unknown> = {}): Promise<ContainerInfo> {
  const { status, body: info } = await api.run<RunResult>({ image, container_port: 8080, wait_ready: true, command, ...body })
  t.equal(status, 201)
  return info
}

const ask = (t: Test, host: string, { line = 'GET / HTTP/1.1', headers = '' } = {}) => exchange(t, port, `${line}\r\nHost: ${host}\r\n${headers}\r\n`)
const seen = async (t: Test, host: string, options?: { line?: string, headers?: string }) => (await ask(t, host, options)).json() as unknown as Seen
const routeOf = (id: string) => app.gateway.routes().find(({ service }) => service === `container/${id}`)

t.test('the URL of the answer works at once, by both spellings, whatever the case, port and dot', async (t) => {
  const { id, name, urls } = await run({ name: `${PREFIX}_Epic` })
  t.equal(urls.host, `http://${PREFIX}-epic.localhost:${port}/`)
  for (const host of [`${PREFIX}-epic.localhost`, `${PREFIX}_epic.localhost`, `${PREFIX}-EPIC.LocalHost:1`, `${PREFIX}-epic.localhost.`]) t.ok(id.startsWith((await seen(t, host)).id), host)
  for (const path of [`/containers/${name}`, `/proxy/${name}`]) t.match(await api.get(path), { body: { urls: { host: urls.host } } })
  const listed = await api.get<ContainerInfo[]>(`/containers?name=${name}`)
  t.equal(listed.body[0]?.urls.host, urls.host)
})

t.test('a URL of run works without a wait for readiness as soon as the application does', async (t) => {
  const { urls } = await run({ name: `${PREFIX}-quick`, wait_ready: false })
  const host = new URL(urls.host!).host
  const statuses = new Set<number>()
  await until(async () => { const { status } = await ask(t, host); statuses.add(status); return status === 200 })
  t.same([...statuses].filter((status) => status !== 200 && status !== 503), [], 'not ready is 503, never another failure')
})

t.test('a container that is run as soon as the engine is back has its URL', async (t) => {
  const chaos = await createChaosSocket(t, { isStarted: false })
  const { app, url } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKER_HOST: chaos.host })
  const away = createClient(url)
  // By now the stream of events is tried ever more slowly.
  for (let failures = 0; failures < 6; await setTimeout(300)) if ((await away.get('/readyz')).status === 503) failures++
  await chaos.start()
  const { body } = await away.run<ContainerInfo>({ image, container_port: 8080, wait_ready: true, command })
  t.match(body, { urls: { host: /^http:/ } })
  t.equal((await exchange(t, app.gateway.port!, `GET / HTTP/1.1\r\nHost: ${new URL(body.urls.host!).host}\r\n\r\n`)).status, 200)
})

t.test('a list that fails while events arrive is asked for again soon', { timeout: 20_000 }, async (t) => {
  const chaos = await createChaosSocket(t)
  chaos.rule('GET /containers/json', { kind: 'answer', status: 500, body: '{"message":"not quite back"}' })
  const { app } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKER_HOST: chaos.host })
  await until(() => chaos.count('/events') > 0 && chaos.count('GET /containers/json') > 1)
  t.notOk(app.gateway.isReady)
  chaos.clear()
  await until(() => app.gateway.isReady && app.gateway.isCurrent)
})

t.test('the application sees its own host, the client and the path as they are', async (t) => {
  await run({ name: `${PREFIX}-seen` })
  const host = `${PREFIX}-seen.localhost:${port}`
  const { url: path, headers } = await seen(t, host, { line: 'GET /a//b%2Fc?x=%zz HTTP/1.1', headers: 'X-Forwarded-For: 203.0.113.9\r\n' })
  t.equal(path, '/a//b%2Fc?x=%zz')
  t.match(headers, { host, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': host, 'x-forwarded-proto': 'http' })
  t.equal(headers['x-forwarded-prefix'], undefined)
  const redirect = await ask(t, host, { line: 'GET /redirect HTTP/1.1' })
  t.equal(redirect.header('location'), '/login')
  t.equal(redirect.header('set-cookie'), 'a=1; Path=/; Domain=example.test')
})

t.test('requests with two meanings, and methods that are no one\'s, are refused', async (t) => {
  await run({ name: `${PREFIX}-strict` })
  const host = `${PREFIX}-strict.localhost`
  const lines: Array<[string, number]> = [
    [`GET / HTTP/1.1\r\nHost: ${host}\r\nHost: other\r\n\r\n`, 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    [`GET http://other.localhost/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400],
    [`GET http://${host}/x HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 200],
    [`GET /../x HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400],
    [`TRACE / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 405],
    [`CONNECT ${host}:80 HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 405],
    [`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['nonsense\r\n\r\n', 400]
  ]
  for (const [bytes, status] of lines) t.equal((await exchange(t, port, bytes)).status, status, bytes)
})

t.test('WebSocket, and what it is refused with', async (t) => {
  const { urls } = await run({ name: `${PREFIX}-socket` })
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { host: new URL(urls.host!).host } })
  t.after(() => { socket.terminate() })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const id = (await api.get<ContainerInfo>(`/containers/${PREFIX}-socket`)).body.id
  t.equal(routeOf(id)?.upstreams[0]?.traffic.in_flight, 1)
  const echoed = new Promise((resolve) => socket.once('message', (data) => { resolve(String(data)) }))
  socket.send('hello')
  t.equal(await echoed, 'hello')
  socket.terminate()
  await until(() => routeOf(id)?.upstreams[0]?.traffic.in_flight === 0)
  const client = await connect(t, port)
  await client.send('GET / HTTP/1.1\r\nHost: nobody.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  t.equal((await client.answer()).status, 404)
  await client.closed()
})

t.test('P8: an unknown host is a problem document for programs and a page for browsers, everything escaped, in detail on this machine only', async (t) => {
  const plain = await ask(t, 'nobody.localhost')
  t.match(plain.json(), { status: 404, code: 'host_not_found', detail: 'No container answers at "nobody.localhost".' })
  t.equal(plain.header('content-type'), 'application/problem+json; charset=utf-8')
  const page = await ask(t, '<script>', { headers: 'Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n' })
  t.equal(page.status, 400)
  t.equal(page.header('content-type'), 'text/html; charset=utf-8')
  t.notMatch(page.body, '<script')
  const path = await ask(t, 'nobody.localhost', { line: 'GET /<script> HTTP/1.1', headers: 'Accept: text/html\r\n' })
  t.match(path.body, /No container answers at &#34;nobody\.localhost&#34;/)
  t.notMatch(path.body, '<script')
  const far = await ask(t, 'nobody.localhost', { headers: 'X-Forwarded-For: 203.0.113.9\r\n' })
  t.notMatch(far.body, 'nobody.localhost"')
  t.equal(far.json().hosts, undefined)
  t.equal((await ask(t, 'nobody.localhost', { line: 'HEAD / HTTP/1.1' })).status, 404)
})

t.test('a container that is stopped, paused or gone: 503 with Retry-After while it exists, then 404; its port is never another\'s', async (t) => {
  const info = await run({ name: `${PREFIX}-life` })
  const host = new URL(info.urls.host!).host
  await stopContainer(engine, info.id, { graceSeconds: 0 })
  await until(async () => (await ask(t, host)).status === 503)
  const down = await ask(t, host)
  t.ok(Number(down.header('retry-after')) > 0)
  t.match(down.json(), { code: 'upstream_not_running', detail: `The container "${info.name}" is exited.` })
  const other = await run({ name: `${PREFIX}-other` })
  t.equal((await ask(t, host)).status, 503)
  const { body: again } = await api.post<ContainerInfo>(`/containers/${info.id}/start?wait_ready=true`)
  t.equal(again.urls.host, info.urls.host)
  t.ok(info.id.startsWith((await seen(t, host)).id))
  await api.post(`/containers/${info.id}/pause`)
  await until(async () => (await ask(t, host)).status === 503)
  t.equal(routeOf(info.id)?.upstreams[0]?.state, 'paused')
  await api.post(`/containers/${info.id}/unpause`)
  await until(async () => (await ask(t, host)).status === 200)
  await api.delete(`/containers/${info.id}?force=true`)
  await until(async () => (await ask(t, host)).status === 404)
  t.ok(other.id.startsWith((await seen(t, `${PREFIX}-other.localhost`)).id))
})

t.test('a new name answers, the old one does not', async (t) => {
  const { id } = await run({ name: `${PREFIX}-before` })
  await renameContainer(engine, id, `${PREFIX}-after`)
  await until(async () => (await ask(t, `${PREFIX}-after.localhost`)).status === 200)
  t.equal((await ask(t, `${PREFIX}-before.localhost`)).status, 404)
  const { body } = await api.post<ContainerInfo>(`/containers/${id}/rename`, { name: `${PREFIX}-third` })
  t.equal(body.urls.host, `http://${PREFIX}-third.localhost:${port}/`)
  t.equal((await ask(t, `${PREFIX}-third.localhost`)).status, 200)
})

t.test('containers started elsewhere: opted in by a label, compose services as one, several ports by number; the others not at all', async (t) => {
  const compose = { 'dockapi.enable': 'true', 'com.docker.compose.project': PREFIX, 'com.docker.compose.service': 'back_end' }
  const replicas = await Promise.all([1, 2].map((index) => startTestContainer(engine, { image, command, port: 8080, name: `${PREFIX}-back-${index}`, labels: compose })))
  const hidden = await startTestContainer(engine, { image, command, port: 8080, name: `${PREFIX}-hidden` })
  const host = `back-end-${PREFIX}.localhost`
  await until(() => app.gateway.routes().find(({ hosts }) => hosts.includes(host))?.upstreams.filter(({ state }) => state === 'up').length === 2)
  const ids = await Promise.all(Array.from({ length: 20 }, async () => (await seen(t, host)).id))
  for (const { id } of replicas) t.equal(ids.filter((seenId) => id.startsWith(seenId)).length, 10, 'each has its turn')
  t.equal((await ask(t, `${PREFIX}-hidden.localhost`)).status, 404)
  t.equal(routeOf(hidden.id), undefined)
  const several = await run({ name: `${PREFIX}-ports`, ports: [{ container_port: 9090 }] })
  t.ok(several.id.startsWith((await seen(t, `8080-${PREFIX}-ports.localhost`)).id))
  // While the container is opening, 503; once its main port answers, nothing listens on this one.
  await until(async () => (await ask(t, `9090-${PREFIX}-ports.localhost`)).status === 502)
})

t.test('GET /routes tells hosts, upstreams, their state and what is in the way', async (t) => {
  const info = await run({ name: `${PREFIX}_same` })
  const later = await run({ name: `${PREFIX}-same` })
  t.equal(later.urls.host, null)
  const { status, body } = await api.get<RouteInfo[]>('/routes')
  t.equal(status, 200)
  t.match(body.find(({ name }) => name === info.name), { hosts: [`${PREFIX}-same.localhost`, `${PREFIX}_same.localhost`], urls: [info.urls.host], provider: 'docker', problems: [], upstreams: [{ container_id: info.id, port: 8080, address: `http://127.0.0.1:${info.host_port}`, state: 'up', traffic: { in_flight: 0 } }] })
  t.match(body.find(({ name }) => name === later.name), { hosts: [], problems: [/belongs to/] })
})

t.test('S17: the first keeps its host: after a restart of dockAPI, and after both containers were', async (t) => {
  const first = await run({ name: `${PREFIX}_clash` })
  const second = await run({ name: `${PREFIX}-clash` })
  const host = `${PREFIX}-clash.localhost`
  t.ok(first.id.startsWith((await seen(t, host)).id))
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.ok(Number(/^dockapi_routes_with_problems (\d+)$/m.exec(metrics)?.[1]) > 0, 'a monitor hears of it')
  for (const { id } of [first, second]) t.equal((await api.post(`/containers/${id}/stop`, { timeout: 0 })).status, 200)
  for (const { id } of [second, first]) t.equal((await api.post(`/containers/${id}/start?wait_ready=true`)).status, 200)
  t.ok(first.id.startsWith((await seen(t, host)).id))
  const again = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0' })
  await until(async () => (await exchange(t, again.app.gateway.port!, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status === 200)
  t.match((await createClient(again.url).get<RouteInfo[]>('/routes')).body.find(({ name }) => name === second.name), { hosts: [], problems: [/belongs to/] })
})

t.test('the last table serves while the engine is away, and what changed meanwhile is known soon after', async (t) => {
  const chaos = await createChaosSocket(t)
  const { app } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKER_HOST: chaos.host })
  const away = Number(new URL(app.gateway.address!.replace('<name>', 'x')).port)
  const [stays, leaves] = [await run({ name: `${PREFIX}-stays` }), await run({ name: `${PREFIX}-leaves` })]
  const statusOf = async (name: string) => (await exchange(t, away, `GET / HTTP/1.1\r\nHost: ${name}.localhost\r\n\r\n`)).status
  await until(async () => await statusOf(stays.name) === 200 && await statusOf(leaves.name) === 200)
  await chaos.stop()
  t.equal(await statusOf(stays.name), 200)
  await stopContainer(engine, leaves.id, { graceSeconds: 0 })
  t.equal(await statusOf(stays.name), 200)
  await chaos.start()
  await until(async () => await statusOf(leaves.name) === 503)
  t.equal(await statusOf(stays.name), 200)
})

t.test('a default port that is taken leaves the API without a gateway, a chosen one is an error', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  t.after(() => server.close())
  const taken = String((server.address() as AddressInfo).port)
  const chosen = await createTestApp(t, { DOCKAPI_GATEWAY_PORT: taken })
  await t.rejects(chosen.gateway.listen(), { code: 'EADDRINUSE' })
  const config = { ...loadConfig({ env: { DOCKAPI_GATEWAY_PORT: taken, DOCKAPI_DATA_DIR: 'memory' } }), isGatewayPortGiven: false }
  const unlucky = await buildApp(config)
  t.after(() => unlucky.close())
  await unlucky.gateway.listen()
  t.match(unlucky.gateway, { address: undefined, offReason: /taken/ })
  const off = await createTestApp(t)
  await off.gateway.listen()
  t.match(off.gateway, { address: undefined, offReason: /off/ })
})

t.end()
