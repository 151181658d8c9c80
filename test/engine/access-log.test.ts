import { once } from 'node:events'
import { get } from 'node:http'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import t from 'tap'
import type { ContainerInfo } from '../../schemas/containers.ts'
import type { AccessEntry } from '../../src/gateway/access-log.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createTestEngine, nodeImage, TEST_RUN } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { createLog } from '../support/log.ts'
import { openSocket } from '../support/socket-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const log = createLog()
const { url, app } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_ACCESS_LOG: 'on' }, log)
const name = `seen-${TEST_RUN.replaceAll('.', '-')}`
const { body: { id } } = await createClient(url).run<ContainerInfo>({ image, name, container_port: 8080, init: true, command: ['node', '--input-type=module', '--eval', APPLICATION], wait_ready: true })
const gatewayUrl = `http://127.0.0.1:${app.gateway.port}`
const host = `${name}.localhost`

const entries = () => log.lines().flatMap(({ access }) => access === undefined ? [] : [access as AccessEntry])

async function ask (path: string, headers: OutgoingHttpHeaders = {}): Promise<IncomingMessage> {
  const [answer] = await once(get(gatewayUrl + path, { headers: { host, ...headers } }), 'response') as [IncomingMessage]
  await answer.toArray()
  return answer
}

/** The one line of a request. */
async function entryOf (requestId: string): Promise<AccessEntry> {
  await until(() => entries().some(({ request_id: id }) => id === requestId))
  const found = entries().filter(({ request_id: id }) => id === requestId)
  t.equal(found.length, 1)
  return found[0]!
}

t.test('a request is one line: whom it was for, what it got, and where it went', async (t) => {
  await ask('/page?token=hunter2&code=s3cret', { 'x-request-id': 'plain', 'user-agent': 'tester/1', authorization: 'Basic aHVudGVyMg==' })
  const entry = await entryOf('plain')
  t.match(entry, { host, method: 'GET', path: '/page', status: 200, container_id: id, peer: '127.0.0.1', user_agent: 'tester/1', time: /^20.*Z$/ })
  t.ok(entry.bytes > 100)
  for (const secret of ['hunter2', 's3cret', 'aHVudGVyMg']) t.notOk(log.raw.some((line) => line.includes(secret)), secret)
})

t.test('what the gateway refuses is a line too, under the id that its answer names', async (t) => {
  const answer = await ask('/', { host: 'nobody.localhost' })
  t.match(await entryOf(answer.headers['x-request-id'] as string), { host: 'nobody.localhost', status: 404, container_id: null })
  t.ok(log.lines().some(({ reqId, code }) => reqId === answer.headers['x-request-id'] && code === 'host_not_found'), 'and so is the reason')
})

t.test('a client that leaves before the answer is 499', async (t) => {
  const request = get(`${gatewayUrl}/slow/60000`, { headers: { host, 'x-request-id': 'left' } }).on('error', () => {})
  const total = () => app.gateway.routes().find(({ hosts }) => hosts.includes(host))!.traffic.total
  const before = total()
  await until(() => total() > before)
  request.destroy()
  t.match(await entryOf('left'), { path: '/slow/60000', status: 499, container_id: id })
})

t.test('an upgraded connection is one line, at its end', async (t) => {
  const socket = await openSocket(t, gatewayUrl, { headers: { host, 'x-request-id': 'socket' } })
  t.equal(entries().some(({ request_id: requestId }) => requestId === 'socket'), false)
  socket.ws.close()
  t.match(await entryOf('socket'), { status: 101, container_id: id })
})

t.test('on one connection each line has the bytes of its own answer', async (t) => {
  await ask('/', { 'x-request-id': 'one', connection: 'keep-alive' })
  await ask('/', { 'x-request-id': 'two', connection: 'keep-alive' })
  t.equal((await entryOf('one')).bytes, (await entryOf('two')).bytes)
})

t.test('S22: hostile headers and an id that is none stay within their line', async (t) => {
  const [before, lines] = [entries().length, log.raw.length]
  await ask('/', { 'user-agent': 'x\u009b31m {"access":1}', 'x-request-id': 'two words' })
  await until(() => entries().length > before)
  const [entry] = entries().slice(before)
  t.equal(entry!.user_agent, 'x\\u009b31m {"access":1}')
  t.match(entry!.request_id, /^[A-Za-z0-9_-]{12}$/)
  for (const line of log.raw.slice(lines)) t.notMatch(line.slice(0, -1), /[\p{Cc}\p{Cf}]/u)
})

t.test('without the setting there is no line', async (t) => {
  const quiet = createLog()
  const { app } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0' }, quiet)
  await until(() => app.gateway.routes().some(({ hosts }) => hosts.includes(host)))
  const [answer] = await once(get(`http://127.0.0.1:${app.gateway.port}/`, { headers: { host } }), 'response') as [IncomingMessage]
  await answer.toArray()
  t.equal(answer.statusCode, 200)
  t.notOk(quiet.raw.some((line) => line.includes('"access"')))
})

t.end()
