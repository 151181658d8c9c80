import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import type { StreamSource } from '../../src/streams/delivery.ts'
import { createTestApp } from '../support/app.ts'
import { closeCode, frame, OPCODES } from '../support/frames.ts'
import { connect, exchange } from '../support/raw-client.ts'
import type { RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const HANDSHAKE = `GET /ticks HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`
const TOKEN = 'a-secret-of-24-characters'

/** The production app with a stream that needs no engine. */
async function createTicking (t: Test, env: Record<string, string> = {}) {
  const app = await createTestApp(t, env)
  let opened = 0
  app.get('/ticks', { config: { scope: 'read' } }, async (request, reply) => {
    const form = request.negotiateForm(['json', 'ndjson'])
    return await reply.sendStream({
      form,
      open: async (signal) => {
        opened++
        return tick(signal)
      }
    })
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { port: number }
  return { app, port, openedCount: () => opened }
}

async function * tick (signal: AbortSignal): StreamSource {
  for (let count = 0; !signal.aborted; count++) {
    yield [{ event: 'tick', data: { count } }]
    await delay(20, undefined, { signal }).catch(() => {})
  }
  return 'complete'
}

const { app, port, openedCount } = await createTicking(t)

async function open (t: Test, port: number, more: string | Buffer = ''): Promise<RawClient> {
  const client = await connect(t, port)
  await client.send(Buffer.concat([Buffer.from(`${HANDSHAKE}\r\n`), Buffer.from(more)]))
  await client.until((text) => text.includes('\r\n\r\n'))
  t.match(client.text, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
  return client
}

/** The code that the server closes with; it has to end the connection too. */
async function closing (client: RawClient): Promise<number | undefined> {
  await client.closed()
  return closeCode(client.bytes.subarray(client.bytes.indexOf('\r\n\r\n') + 4))
}

await t.test('a handshake that is complete is answered with the key of RFC 6455 section 1.3', async (t) => {
  const client = await open(t, port)
  t.match(client.text, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/)
  t.notMatch(client.text, /extensions|protocol:/i)
  await client.until((text) => text.includes('"count":2'))
})

await t.test('a broken handshake is refused with a problem document before anything is opened', async (t) => {
  const openedBefore = openedCount()
  const refused = async (bytes: string) => await exchange(t, port, `${bytes}\r\n`)
  const version = await refused(HANDSHAKE.replace('Version: 13', 'Version: 8'))
  t.match({ status: version.status, code: version.json().code }, { status: 426, code: 'websocket_required' })
  t.equal(version.header('sec-websocket-version'), '13')
  t.equal(version.header('upgrade'), 'websocket')
  t.match(version.header('connection'), /upgrade/)
  for (const bytes of [HANDSHAKE.replace(KEY, 'short'), HANDSHAKE.replace(/Sec-WebSocket-Key.*\r\n/, ''), `${HANDSHAKE}Sec-WebSocket-Protocol: a, a\r\n`, `${HANDSHAKE}Sec-WebSocket-Protocol: a b\r\n`]) {
    const answer = await refused(bytes)
    t.match({ status: answer.status, code: answer.json().code }, { status: 400, code: 'invalid_request' }, bytes)
    t.equal(answer.header('connection'), 'close')
  }
  t.equal((await refused(`${HANDSHAKE}Sec-WebSocket-Protocol: ${'x'.repeat(20_000)}\r\n`)).status, 431)
  t.equal(openedCount(), openedBefore)
})

await t.test('W11: who may not call is told so before any switch, and nothing is opened', async (t) => {
  const openedBefore = openedCount()
  const ask = async (bytes: string) => {
    const answer = await exchange(t, port, `${bytes}\r\n`)
    return [answer.status, answer.json().code]
  }
  for (const origin of ['https://evil.test', 'null', 'http://evil.localhost:8080', 'http://localhost.evil.test', 'file://', '']) t.same(await ask(`${HANDSHAKE}Origin: ${origin}\r\n`), [403, 'origin_not_allowed'], origin)
  t.same(await ask(`${HANDSHAKE}Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: websocket\r\n`), [403, 'origin_not_allowed'])
  t.same(await ask(HANDSHAKE.replace('localhost', 'evil.test')), [403, 'host_not_allowed'])
  t.equal(openedCount(), openedBefore)
  const client = await connect(t, port)
  await client.send(`${HANDSHAKE}Origin: http://localhost:3000\r\n\r\n`)
  await client.until((text) => text.includes('101 Switching'))

  const { port: closed, openedCount: closedCount } = await createTicking(t, { DOCKAPI_TOKEN: TOKEN })
  for (const header of ['', 'Authorization: Bearer wrong\r\n', `Cookie: token=${TOKEN}\r\n`, `Sec-WebSocket-Protocol: ${TOKEN}\r\n`]) t.equal((await exchange(t, closed, `${HANDSHAKE}${header}\r\n`)).status, 401)
  t.equal(closedCount(), 0)
  const known = await connect(t, closed)
  await known.send(`${HANDSHAKE}Authorization: Bearer ${TOKEN}\r\n\r\n`)
  await known.until((text) => text.includes('101 Switching'))
})

await t.test('where no switch is possible, or there is none, the request is an ordinary one', async (t) => {
  for (const path of ['/livez', '/nothing']) {
    const client = await connect(t, port)
    await client.send(`${HANDSHAKE.replace('/ticks', path)}\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    t.equal((await client.answer()).status, path === '/livez' ? 200 : 404)
    await client.closed()
    t.equal(client.bytes.length, 0, 'what was sent ahead is no request')
  }
  t.equal((await exchange(t, port, `${HANDSHAKE.replace('GET /ticks', 'POST /containers/run')}\r\n`)).status, 400)
  t.equal((await exchange(t, port, `${HANDSHAKE.replace('/ticks', '/livez').replace('HTTP/1.1', 'HTTP/1.0')}\r\n`)).status, 200)
})

await t.test('frames that break the protocol end the connection with its code, and nobody else notices', async (t) => {
  const { text, binary, ping, close, continuation } = OPCODES
  const cases: Array<[name: string, bytes: Buffer, code: number]> = [
    ['a message of 100 MB', Buffer.concat([frame(binary, Buffer.alloc(100_000), { length: 100_000_000 }), Buffer.alloc(900_000)]), 1009],
    ['a message of 2^62 bytes', frame(binary, 'x', { length: 2 ** 62 }), 1009],
    ['a message that is too long in pieces', Buffer.concat([frame(text, 'x'.repeat(4000), { isFinal: false }), frame(continuation, 'x'.repeat(200))]), 1009],
    ['an unmasked frame', frame(text, 'hello', { isMasked: false }), 1002],
    ['a reserved bit', frame(text, 'hello', { reserved: 4 }), 1002],
    ['an unknown opcode', frame(3, 'hello'), 1002],
    ['a control frame in pieces', frame(ping, 'hello', { isFinal: false }), 1002],
    ['a long control frame', frame(ping, 'x'.repeat(126)), 1002],
    ['a continuation of nothing', frame(continuation, 'hello'), 1002],
    ['text that is not UTF-8', frame(text, Buffer.of(0xff, 0xfe)), 1007],
    ['a close frame of one byte', frame(close, 'x'), 1002],
    ['a close frame with a code that is none', frame(close, Buffer.of(0x03, 0xed)), 1002],
    ['tiny messages', Buffer.concat(Array.from({ length: 100_000 }, () => frame(text, 'x'))), 1008],
    ['empty messages', Buffer.concat(Array.from({ length: 100_000 }, () => frame(binary))), 1008],
    ['pings', Buffer.concat(Array.from({ length: 100_000 }, () => frame(ping))), 1008],
    ['a message in too many pieces', Buffer.concat([frame(binary, 'x', { isFinal: false }), ...Array.from({ length: 100_000 }, () => frame(continuation, '', { isFinal: false }))]), 1008]
  ]
  const witness = await open(t, port)
  for (const [name, bytes, code] of cases) {
    const client = await open(t, port)
    await client.send(bytes)
    t.equal(await closing(client), code, name)
  }
  await until(() => app.streams.open === 1)
  const seen = witness.bytes.length
  await witness.until(() => witness.bytes.length > seen)
})

await t.test('what a client sends along with its handshake is read', async (t) => {
  const client = await open(t, port, frame(OPCODES.close, Buffer.of(0x03, 0xe8)))
  t.equal(await closing(client), 1000)
  await until(() => app.streams.open === 0)
})

await t.test('a client that goes away without a word frees its stream at once', async (t) => {
  for (const leave of ['end', 'reset'] as const) {
    const client = await open(t, port)
    t.equal(app.streams.open, 1)
    client[leave]()
    await until(() => app.streams.open === 0)
  }
})

await t.test('two handshakes in a row, and bytes after a refused one, end no process', async (t) => {
  for (const bytes of [`${HANDSHAKE}\r\n${HANDSHAKE}\r\n`, `GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n${HANDSHAKE}\r\n`, `${HANDSHAKE.replace('13', '12')}\r\n\0\xff\0`, HANDSHAKE]) {
    for (const leave of ['reset', 'end'] as const) {
      const client = await connect(t, port)
      await client.send(bytes)
      client[leave]()
      await client.closed()
    }
  }
  await until(() => app.streams.open === 0)
  t.equal((await exchange(t, port, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n')).status, 200)
})

await t.test('a shutdown ends with 1001, and does not wait for a client that never answers', async (t) => {
  const { app: other, port: otherPort } = await createTicking(t)
  const polite = await open(t, otherPort)
  const mute = await open(t, otherPort)
  mute.socket.pause()
  const closingApp = other.close()
  await polite.until((text) => text.includes('"reason":"shutting_down"'))
  t.equal(await closing(polite), 1001)
  await closingApp
  mute.socket.resume()
  await mute.closed()
})

t.end()
