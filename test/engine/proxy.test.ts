import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import t from 'tap'
import { WebSocket } from 'ws'
import type { ContainerInfo, RunResult } from '../../schemas/containers.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createTestEngine, nodeImage, startTestContainer } from '../support/engine.ts'

/** What an application does: it tells what it saw, keeps what it is sent, streams, redirects and sets cookies. */
const APPLICATION = `
import { createServer } from 'node:http'
import { createHash } from 'node:crypto'
createServer((request, response) => {
  const { method, url, headers } = request
  if (url === '/redirect') return response.writeHead(302, { location: '/login', 'set-cookie': ['a=1; Path=/', 'b=2; Path=/app; HttpOnly'] }).end()
  if (url === '/events') { response.writeHead(200, { 'content-type': 'text/event-stream' }); let n = 0; const timer = setInterval(() => response.write('data: ' + n++ + '\\n\\n'), 50); response.on('close', () => clearInterval(timer)); return }
  if (url === '/hash') { const hash = createHash('sha256'); request.on('data', (data) => hash.update(data)).on('end', () => response.end(hash.digest('hex'))); return }
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close, x-hop', 'x-hop': '1' }).end(method === 'HEAD' ? undefined : JSON.stringify({ method, url, headers, id: process.env.HOSTNAME }))
}).on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.on('data', (frame) => { const bytes = Buffer.from(frame); if ((bytes[0] & 15) === 8) return socket.end(); const mask = bytes.subarray(2, 6); const text = bytes.subarray(6).map((byte, index) => byte ^ mask[index % 4]); socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text])) })
}).listen(8080)
`

type Seen = { method: string, url: string, headers: Record<string, string>, id: string }

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const { url } = await listenTestApp(t)
const api = createClient(url)

async function startApplication (): Promise<ContainerInfo> {
  const { status, body } = await api.run<RunResult>({ image, container_port: 8080, wait_ready: true, command: ['node', '--input-type=module', '--eval', APPLICATION] })
  t.equal(status, 201)
  return body
}

const application = await startApplication()
const mounted = `${url}/proxy/${application.name}`

async function see (path: string, init: RequestInit = {}): Promise<Seen> {
  return await (await fetch(mounted + path, init)).json() as Seen
}

t.test('the URL of the answer reaches the application', async (t) => {
  t.equal(application.urls.path, `${mounted}/`)
  const answer = await fetch(application.urls.path!)
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('x-hop'), null)
})

t.test('GET /proxy/{id} shows the upstream as the document does', async (t) => {
  const { status, body } = await api.get(`/proxy/${application.id}`)
  t.match({ status, body }, { status: 200, body: { container_id: application.id, upstream: `http://127.0.0.1:${application.host_port}`, urls: application.urls } })
})

t.test('methods, path, query, headers and body arrive', async (t) => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) t.equal((await see('/x', { method })).method, method)
  t.equal((await fetch(`${mounted}/x`, { method: 'HEAD' })).status, 200)
  t.equal((await see('/api//items%2F1?page=1&limit=20&q=%zz')).url, '/api//items%2F1?page=1&limit=20&q=%zz')
  const { headers } = await see('/x', { headers: { 'x-app': 'y', 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' } })
  t.match(headers, { 'x-app': 'y', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': new URL(url).host, 'x-forwarded-proto': 'http', 'x-forwarded-prefix': `/proxy/${application.name}`, via: /dockapi/ })
  t.notMatch(headers.forwarded, /203\.0\.113\.9/)
  const body = randomBytes(5 * 1024 ** 2)
  t.equal(await (await fetch(`${mounted}/hash`, { method: 'POST', body })).text(), createHash('sha256').update(body).digest('hex'))
})

t.test('redirects and cookies of the root stay under the prefix', async (t) => {
  const answer = await fetch(`${mounted}/redirect`, { redirect: 'manual' })
  t.equal(answer.headers.get('location'), `/proxy/${application.name}/login`)
  t.same(answer.headers.getSetCookie(), [`a=1; Path=/proxy/${application.name}/`, `b=2; Path=/proxy/${application.name}/app; HttpOnly`])
})

t.test('events come one by one', async (t) => {
  const leaving = new AbortController()
  const answer = await fetch(`${mounted}/events`, { signal: leaving.signal })
  const reader = answer.body!.getReader()
  const first = new TextDecoder().decode((await reader.read()).value)
  t.match(first, /^data: 0/)
  t.ok(first.length < 50, 'not gathered')
  leaving.abort()
})

t.test('WebSocket', async (t) => {
  const socket = new WebSocket(`${mounted.replace('http', 'ws')}/socket`)
  t.after(() => { socket.terminate() })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const echoed = new Promise((resolve) => socket.once('message', (data) => { resolve(String(data)) }))
  socket.send('hello')
  t.equal(await echoed, 'hello')
})

t.test('the errors of the contract', async (t) => {
  t.match(await api.get('/proxy/no-such-container/'), { status: 404, body: { code: 'container_not_found' } })
  t.match(await api.get(`/proxy/${application.name}:9/`), { status: 502, body: { code: 'upstream_failed' } })
  for (const path of ['/../x', '/%2e%2e/x', '//evil/', '/http://127.0.0.2/']) {
    const answer = await rawGet(`/proxy/${application.name}${path}`)
    t.match(answer, /^HTTP\/1\.1 400 /, path)
    t.match(answer, /"code":"invalid_request"/, path)
  }
})

t.test('a stopped container is 503, and its old port is not dialled for another', async (t) => {
  const first = await startApplication()
  t.equal((await fetch(first.urls.path!)).status, 200)
  await api.post(`/containers/${first.id}/stop?timeout=0`)
  const stopped = await fetch(first.urls.path!)
  t.equal(stopped.status, 503)
  t.ok(stopped.headers.has('retry-after'))
  const others = await Promise.all([startApplication(), startApplication()])
  t.equal((await fetch(first.urls.path!)).status, 503)
  for (const other of others) t.ok(other.id.startsWith((await (await fetch(other.urls.path!)).json() as Seen).id))
  const again = await api.post<ContainerInfo>(`/containers/${first.id}/start?wait_ready=true`)
  t.ok(first.id.startsWith((await (await fetch(again.body.urls.path!)).json() as Seen).id))
})

t.test('a container that publishes nothing is reached at its own address, on Linux', { skip: process.platform === 'linux' ? false : 'bridge addresses are reached on Linux only' }, async (t) => {
  const { id } = await startTestContainer(engine, { image, command: ['node', '--input-type=module', '--eval', APPLICATION], labels: { 'dockapi.enable': 'true', 'dockapi.port': '8080' } })
  while ((await fetch(`${url}/proxy/${id}/`)).status !== 200);
  t.match((await api.get<{ reason: string }>(`/proxy/${id}`)).body.reason, /not published/)
})

/** A GET whose path no client library has put in order. */
async function rawGet (path: string): Promise<string> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
  return (await socket.toArray()).join('')
}

t.end()
