import { Readable } from 'node:stream'
import t from 'tap'
import type { Test } from 'tap'
import { createTestApp } from '../support/app.ts'
import { createMiddlewareGateway } from '../support/middleware-gateway.ts'
import { connect, exchange } from '../support/raw-client.ts'
import type { RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

/** How many of each kind attack at once. */
const MANY = 500
/** The system holds some megabytes for each that does not read. */
const READERS = 100
/** What the buffers of the system and of the server hold for one connection at most, in bytes. */
const MOST_BUFFERED = 32 * 1024 ** 2
const PIECE = 'x'.repeat(64 * 1024)

const api = await listenApi()

/** The production app with routes that take and give without end, on a free port; a client has one second. */
async function listenApi () {
  const app = await createTestApp(t, { DOCKAPI_CLIENT_TIMEOUT: '1', DOCKAPI_RATE_LIMIT: '0' })
  const given = { bytes: 0, cut: 0 }
  await app.register(async (scope) => {
    scope.addContentTypeParser('application/x-tar', (_request, body, done) => { done(null, body) })
    scope.post('/take', { config: { scope: 'read' } }, async ({ body }) => {
      let bytes = 0
      for await (const chunk of body as Readable) bytes += (chunk as Buffer).length
      return { bytes }
    })
    scope.post('/take-json', { config: { scope: 'read' } }, async () => ({ isTaken: true }))
    scope.get('/give', { config: { scope: 'read' } }, async (_request, reply) => {
      reply.raw.once('close', () => { given.cut++ })
      return reply.send(Readable.from(pieces()))
    })
  })
  function * pieces () {
    for (;;) {
      given.bytes += PIECE.length
      yield PIECE
    }
  }
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { port: Number(new URL(app.listeningOrigin).port), given }
}

async function listenGateway (t: Test) {
  return await createMiddlewareGateway(t, ({ path }) => path === '/give'
    ? [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n' }, { send: PIECE, repeat: 100_000 }]
    : [{ wait: 'body' }, { send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' }], { clientTimeoutMs: 1_000, answerTimeoutMs: 1_000 })
}

async function connectMany (t: Test, port: number, bytes: string): Promise<RawClient[]> {
  return await Promise.all(Array.from({ length: MANY }, async () => {
    const client = await connect(t, port)
    await client.send(bytes)
    return client
  }))
}

for (const plane of ['API', 'gateway'] as const) {
  t.test(`G1: ${plane}: heads that do not come to an end get 408, and others are served meanwhile`, async (t) => {
    const { port } = plane === 'API' ? api : await listenGateway(t)
    const clients = await connectMany(t, port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')
    const answers = Promise.all(clients.map((client) => client.answer()))
    t.equal((await exchange(t, port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')).status, 200)
    t.same([...new Set((await answers).map(({ status }) => status))], [408])
    t.same([...new Set(await Promise.all(clients.map((client) => client.closed())))].length, 1)
    t.equal((await exchange(t, port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')).status, 200)
  })
}

for (const plane of ['API', 'gateway'] as const) {
  t.test(`G1: ${plane}: bodies that stop get 408, and others are served meanwhile`, async (t) => {
    const { port } = plane === 'API' ? api : await listenGateway(t)
    const clients = await connectMany(t, port, 'POST /take-json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"slow":')
    const answers = Promise.all(clients.map((client) => client.answer()))
    t.equal((await exchange(t, port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')).status, 200)
    t.same([...new Set((await answers).map(({ status }) => status))], [408])
    await Promise.all(clients.map((client) => client.closed()))
    t.equal((await exchange(t, port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')).status, 200)
  })
}

t.test('G1: API: who does not read what it asked for is cut off, and nothing is gathered for it', async (t) => {
  const { port, given } = api
  await askWithoutReading(t, port)
  await until(() => given.cut === READERS)
  t.ok(given.bytes < READERS * MOST_BUFFERED, `${given.bytes} bytes were produced`)
})

t.test('G1: gateway: who does not read what it asked for is cut off, and its container is let go', async (t) => {
  const { port, rawd } = await listenGateway(t)
  await askWithoutReading(t, port)
  await until(() => rawd.connections.length === READERS)
  await Promise.all(rawd.connections.map(({ closed }) => closed))
  t.equal((await exchange(t, port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).status, 200)
})

t.test('G1: a JSON body has to be here in time, also one that drips', async (t) => {
  const { port } = api
  const client = await connect(t, port)
  await client.send('POST /take-json HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{')
  const drip = setInterval(() => { client.send(' ').catch(() => {}) }, 100)
  const answer = await client.answer()
  clearInterval(drip)
  t.equal(answer.status, 408)
  t.equal(answer.json().code, 'request_timeout')
})

t.test('G1: any other body may take its time, and only not stop', async (t) => {
  const { port } = api
  const head = 'POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-tar\r\nContent-Length: 30\r\n\r\n'
  const [slow, silent] = [await connect(t, port), await connect(t, port)]
  await silent.send(`${head}x`)
  await slow.send(head)
  const drip = setInterval(() => { slow.send('x').catch(() => {}) }, 100)
  t.equal((await silent.answer()).status, 408)
  const answer = await slow.answer()
  clearInterval(drip)
  t.equal(answer.status, 200)
  t.equal(answer.body, '{"bytes":30}')
})

async function askWithoutReading (t: Test, port: number): Promise<void> {
  for (let count = 0; count < READERS; count++) {
    const client = await connect(t, port)
    client.socket.pause()
    await client.send('GET /give HTTP/1.1\r\nHost: localhost\r\n\r\n')
  }
}

t.end()
