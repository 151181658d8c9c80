import { once } from 'node:events'
import t from 'tap'
import type { Test } from 'tap'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createTestEngine, nodeImage, startTestContainer } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { connect, exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const { app, url } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_TOKEN: 'a-secret-of-24-characters' })
const port = app.gateway.port!
const NAME = `gt${process.pid}`
const HOST = `${NAME}.localhost`

await startTestContainer(engine, { image, command: ['node', '--input-type=module', '--eval', APPLICATION], port: 8080, name: NAME, labels: { 'dockapi.enable': 'true', 'dockapi.token': 'true', team: 'blue' } })

function ask (t: Test, headers = '', line = 'GET / HTTP/1.1', host = HOST) {
  return exchange(t, port, `${line}\r\nHost: ${host}\r\n${headers}\r\n`)
}

function tokenOf (name: string, rights: { scopes: Array<'read' | 'run' | 'admin'>, labels?: Record<string, string>, expires_in?: string }): string {
  return `Authorization: Bearer ${app.tokens.create({ name, ...rights }).token}\r\n`
}

const reader = tokenOf('reader', { scopes: ['read'] })
await until(async () => (await ask(t, reader)).status === 200)

t.test('who shows a token that may read the container gets through, and the application never sees it', async (t) => {
  for (const header of [reader, tokenOf('admin', { scopes: ['admin'] }), tokenOf('blue', { scopes: ['read'], labels: { team: 'blue' } }), 'Authorization: Bearer a-secret-of-24-characters\r\n']) {
    const answer = await ask(t, header)
    t.equal(answer.status, 200)
    t.notOk((JSON.parse(answer.body) as { headers: { authorization?: string } }).headers.authorization)
    t.notMatch(answer.body, /dockapi_|a-secret/)
  }
})

t.test('W11: everything else is answered alike: 401, and what to send', async (t) => {
  const wrong = ['', 'Authorization: Bearer wrong\r\n', 'Authorization: Basic YTpi\r\n', `Authorization: Bearer dockapi_${'x'.repeat(43)}\r\n`, tokenOf('red', { scopes: ['read'], labels: { team: 'red' } }), tokenOf('runner', { scopes: ['run'] })]
  for (const header of wrong) {
    const answer = await ask(t, header)
    t.equal(answer.status, 401)
    t.match(answer.header('www-authenticate'), 'Bearer')
    t.match(answer.header('content-type'), 'application/problem+json')
    t.equal(answer.json().code, 'unauthorized')
  }
  const details = new Set(await Promise.all(wrong.map(async (header) => (await ask(t, header)).json().detail)))
  t.equal(details.size, 1)
  t.match((await ask(t, 'Accept: text/html\r\n')).header('content-type'), 'text/html', 'a page for people')
  const expired = tokenOf('brief-reader', { scopes: ['read'], expires_in: '1s' })
  await until(async () => (await ask(t, expired)).status === 401)
  for (const header of [...wrong, expired]) t.equal((await ask(t, `${header}Connection: Upgrade\r\nUpgrade: websocket\r\n`)).status, 401, 'before any 101')
})

t.test('an upgraded connection and an answer that goes on end with the token', async (t) => {
  const header = tokenOf('brief', { scopes: ['read'] })
  const socket = await connect(t, port)
  await socket.send(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n${header}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`)
  await socket.until((text) => text.startsWith('HTTP/1.1 101'))
  const slow = await connect(t, port)
  await slow.send(`GET /slow/60000 HTTP/1.1\r\nHost: ${HOST}\r\n${header}\r\n`)
  const ended = Promise.all([socket.socket, slow.socket].map((each) => once(each, 'close')))
  for (const { socket: each } of [socket, slow]) each.once('end', () => { each.end() })
  await until(() => app.gateway.routes().flatMap(({ upstreams }) => upstreams).some(({ traffic }) => traffic.in_flight === 2))
  app.tokens.revoke('brief')
  await ended
  t.equal((await ask(t, header)).status, 401)
})

t.test('the API\'s routes can ask for it by a reference', async (t) => {
  const api = createClient(url, { authorization: 'Bearer a-secret-of-24-characters' })
  t.equal((await api.call('PUT', '/middlewares/private', { token: {} })).status, 200)
  t.equal((await api.post('/routes', { name: `${NAME}-static`, rule: `Host(\`${NAME}-static.localhost\`)`, service: NAME, middlewares: ['private@api'] })).status, 201)
  const host = `${NAME}-static.localhost`
  await until(async () => (await ask(t, reader, undefined, host)).status === 200)
  t.equal((await ask(t, '', undefined, host)).status, 401)
})

t.test('wrong tokens count as at the API', async (t) => {
  for (let count = 0; count < 100; count++) await ask(t, `Authorization: Bearer wrong-${count}\r\n`)
  const answer = await ask(t, 'Authorization: Bearer wrong\r\n')
  t.equal(answer.status, 429)
  t.equal(answer.json().code, 'too_many_attempts')
  t.ok(Number(answer.header('retry-after')) > 0)
  t.equal((await ask(t, reader)).status, 200, 'a token of the store still counts')
})

t.end()
