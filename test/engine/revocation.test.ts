import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import type { Test } from 'tap'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, nodeImage, startTestContainer } from '../support/engine.ts'
import { until } from '../support/until.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** The promise of the product, in milliseconds. */
const WITHIN_MS = 1_000
/** Echoes what it is sent after an upgrade, and answers everything else without end. */
const APPLICATION = `import { createServer } from 'node:http'
const server = createServer((request, response) => { response.write('first'); if (request.url === '/short') response.end() })
server.on('upgrade', (_request, socket) => { socket.write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n'); socket.pipe(socket) })
server.listen(8080)`

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const run = promisify(execFile)
const LABELS = { 'dockapi.managed': 'true' }

async function openLogStream (url: string, id: string, token: string, accept: string) {
  const response = await fetch(`${url}/containers/${id}/logs?follow=true&tail=1`, { headers: { authorization: `Bearer ${token}`, accept } })
  const reader = response.body!.getReader()
  const first = await reader.read()
  return { status: response.status, first, reader }
}

/** How long until a stream is over, however it ends, in milliseconds. */
async function timeUntilEnd (reader: ReadableStreamDefaultReader<Uint8Array>, began: number): Promise<number> {
  try {
    while (!(await reader.read()).done);
  } catch {}
  return performance.now() - began
}

async function chatter (name: string) {
  return await startTestContainer(engine, { image, name, command: ['sh', '-c', 'while true; do echo tick; sleep 0.05; done'], labels: LABELS })
}

t.test('revoking a token ends its log streams within a second, and nobody else\'s', async (t) => {
  const { app, url } = await listenTestApp(t)
  const admin = app.tokens.create({ name: 'admin', scopes: ['admin'] })
  const { id } = await chatter(`talks-${process.pid}`)
  for (const accept of ['text/plain', 'application/x-ndjson', 'text/event-stream']) {
    const { token } = app.tokens.create({ name: 'reader', scopes: ['logs'] })
    const [stream, other] = await Promise.all([openLogStream(url, id, token, accept), openLogStream(url, id, admin.token, accept)])
    t.equal(stream.status, 200)
    const began = performance.now()
    const { status } = await createClient(url, { authorization: `Bearer ${admin.token}` }).delete('/tokens/reader')
    t.equal(status, 200)
    const time = await timeUntilEnd(stream.reader, began)
    t.ok(time < WITHIN_MS, `${accept}: ${Math.round(time)} ms`)
    t.equal((await other.reader.read()).done, false)
    await other.reader.cancel()
  }
})

t.test('S21: another process revokes it, and a token expires: the same', async (t) => {
  const dataDir = t.testdir({})
  const { app, url } = await listenTestApp(t, { DOCKAPI_DATA_DIR: dataDir })
  const { id } = await chatter(`also-talks-${process.pid}`)
  const { token } = app.tokens.create({ name: 'reader', scopes: ['logs'] })
  const stream = await openLogStream(url, id, token, 'application/x-ndjson')
  await run(process.execPath, [MAIN, 'token', 'revoke', 'reader', '--data-dir', dataDir])
  const time = await timeUntilEnd(stream.reader, performance.now())
  t.ok(time < WITHIN_MS, `revoked: ${Math.round(time)} ms after the command ended`)
  t.equal((await fetch(`${url}/containers/${id}/logs`, { headers: { authorization: `Bearer ${token}` } })).status, 401)

  const brief = app.tokens.create({ name: 'brief', scopes: ['logs'], expires_in: '1s' })
  const expiring = await openLogStream(url, id, brief.token, 'application/x-ndjson')
  await timeUntilEnd(expiring.reader, 0)
  const late = Date.now() - Date.parse(brief.expires_at!)
  t.ok(late >= 0 && late < WITHIN_MS, `expired: ${late} ms late`)
  t.equal((await fetch(`${url}/containers/${id}/logs`, { headers: { authorization: `Bearer ${brief.token}` } })).status, 401)
})

t.test('requests to applications and upgraded connections end too', async (t) => {
  const { app, url } = await listenTestApp(t)
  const { id, hostPort } = await startApplication()
  const { token } = app.tokens.create({ name: 'visitor', scopes: ['read'] })
  await until(async () => await fetch(`http://127.0.0.1:${hostPort}/short`).then(() => true, () => false))
  const answer = await fetch(`${url}/proxy/${id}/`, { headers: { authorization: `Bearer ${token}` } })
  const reader = answer.body!.getReader()
  t.equal(Buffer.from((await reader.read()).value!).toString(), 'first')
  const socket = await openTunnel(t, url, id, token)
  const began = performance.now()
  app.tokens.revoke('visitor')
  const [time] = await Promise.all([timeUntilEnd(reader, began), once(socket, 'close')])
  t.ok(time < WITHIN_MS)
  t.ok(performance.now() - began < WITHIN_MS, 'the tunnel')
})

t.test('a ticket opens one request, with the rights of who asked for it, and dies with the token', async (t) => {
  const { app, url } = await listenTestApp(t)
  const { token } = app.tokens.create({ name: 'page', scopes: ['read'] })
  const api = createClient(url, { authorization: `Bearer ${token}` })
  const ticketOf = async () => (await api.post<{ ticket: string }>('/tickets')).body.ticket
  const status = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).status

  const ticket = await ticketOf()
  t.equal(await status(`/containers?ticket=${ticket}`, { method: 'POST' }), 401, 'a write needs a token')
  t.equal(await status(`/containers?limit=1&ticket=${ticket}`), 200)
  t.equal(await status(`/containers?limit=1&ticket=${ticket}`), 401, 'only once')
  const good = await ticketOf()
  t.equal(await status('/containers', { headers: { 'sec-websocket-protocol': `dockapi.v1, ${good}` } }), 200)
  t.equal(await status('/containers', { headers: { 'sec-websocket-protocol': good } }), 401, 'only once')
  t.equal(await status('/tokens', { headers: { 'sec-websocket-protocol': await ticketOf() } }), 403, 'no more rights than its token')
  const doomed = await ticketOf()
  app.tokens.revoke('page')
  t.equal(await status('/containers', { headers: { 'sec-websocket-protocol': doomed } }), 401)
})

t.test('S7: no credential of dockAPI reaches an application: tokens, revoked ones, tickets', async (t) => {
  const { app, url } = await listenTestApp(t)
  const seen = await startTestContainer(engine, {
    image: await nodeImage(engine),
    command: ['node', '/app/mirror.mjs'],
    labels: LABELS,
    port: 8080,
    files: [{ path: 'app/mirror.mjs', content: 'import { createServer } from "node:http"; createServer((request, response) => response.end(JSON.stringify([request.url, request.rawHeaders]))).listen(8080)' }]
  })
  await until(async () => await fetch(`http://127.0.0.1:${seen.hostPort}/`).then(() => true, () => false))
  const { token } = app.tokens.create({ name: 'visitor', scopes: ['read'] })
  const ask = async (path: string, headers: Record<string, string>) => await (await fetch(`${url}/proxy/${seen.id}/${path}`, { headers })).text()
  const ticketOf = () => app.tickets.issue(app.guard.principalOf(`Bearer ${token}`, 'test')!).ticket
  const [first, second] = [ticketOf(), ticketOf()]
  for (const answer of [
    await ask('a?b=1', { authorization: `Bearer ${token}` }),
    await ask(`a?b=1&ticket=${first}`, {}),
    await ask('a?b=1', { 'sec-websocket-protocol': `chat, ${second}` }),
    // Used up, so only the token counts; still no business of the application's.
    await ask(`a?ticket=${first}&b=1`, { authorization: `Bearer ${token}` })
  ]) {
    t.match(answer, /^\["\/a\?b=1"/)
    for (const secret of [token, first, second]) t.notMatch(answer, secret)
  }
  t.match(await ask('a?ticket=its-own', { authorization: `Bearer ${token}`, 'sec-websocket-protocol': 'chat, superchat' }), /ticket=its-own.*chat, superchat/)
})

async function startApplication () {
  return await startTestContainer(engine, { image: await nodeImage(engine), command: ['node', '/app/application.mjs'], labels: LABELS, port: 8080, files: [{ path: 'app/application.mjs', content: APPLICATION }] })
}

async function openTunnel (t: Test, url: string, id: string, token: string) {
  const { hostname, port } = new URL(url)
  const socket = createConnection({ host: hostname, port: Number(port) })
  t.after(() => socket.destroy())
  socket.write(`GET /proxy/${id}/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n`)
  t.match(String((await once(socket, 'data'))[0]), /^HTTP\/1\.1 101 /)
  socket.write('hello')
  t.equal(String((await once(socket, 'data'))[0]), 'hello')
  return socket
}
