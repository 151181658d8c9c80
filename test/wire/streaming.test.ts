import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Socket } from 'node:net'
import t from 'tap'
import { createRig } from '../support/proxy-app.ts'
import { OK } from '../support/raw-upstream.ts'
import type { Step } from '../support/raw-upstream.ts'
import { connect, exchange } from '../support/raw-client.ts'

const MebiByte = 1024 ** 2
const GET = 'GET /proxy/web/ HTTP/1.1\r\nHost: x\r\n\r\n'
const readers = new WeakMap<Socket, (() => void)>()
const forever: Step = { until: new Promise(() => {}) }

await t.test('the head of a stream arrives before its first event, and each event before the next', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ send: 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n' }, forever])
  const client = await connect(t, port)
  await client.send(GET)
  const { socket } = (await rawd.request()).peer
  await client.until((text) => text.includes('\r\n\r\n'))
  for (let count = 0; count < 50; count++) {
    const event = `data: ${count}\n\n`
    socket.write(`${event.length.toString(16)}\r\n${event}\r\n`)
    await client.until((text) => text.includes(event))
  }
  t.pass('nothing was held back')
})

await t.test('a client that leaves before the answer ends the request upstream', async (t) => {
  const { port, rawd } = await createRig(t, () => [forever])
  for (const leave of ['reset', 'end'] as const) {
    rawd.clear()
    const client = await connect(t, port)
    await client.send(GET)
    const { peer } = await rawd.request()
    client[leave]()
    await peer.closed
    t.equal(peer.ended, 'reset')
  }
})

await t.test('a client that leaves while its container is looked up costs no request', async (t) => {
  const { port, rawd, app } = await createRig(t)
  const { upstream } = app.containers
  const accepted = once(app.server, 'connection')
  const client = await connect(t, port)
  const [socket] = await accepted as [Socket]
  const closed = new Promise<void>((resolve) => { socket.on('close', () => { resolve() }) })
  app.containers.upstream = async (...parameters) => {
    client.reset()
    await closed
    app.containers.upstream = upstream
    return await upstream(...parameters)
  }
  await client.send(GET)
  await closed
  t.equal((await exchange(t, port, GET)).status, 200)
  t.equal(rawd.requests.length, 1)
})

await t.test('a client that leaves in the middle of a download ends it upstream', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ send: `HTTP/1.1 200 OK\r\nContent-Length: ${1024 * MebiByte}\r\n\r\n` }, { send: Buffer.alloc(64 * 1024), repeat: 16 * 1024 }])
  const client = await connect(t, port)
  await client.send(GET)
  await client.until((text) => text.length > 100_000)
  client.reset()
  const { peer } = await rawd.request()
  await peer.closed
  t.ok(peer.socket.bytesWritten < 512 * MebiByte)
})

await t.test('requests that are sent ahead are carried one after the other, and none after the client left', async (t) => {
  let release = () => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  const { port, rawd } = await createRig(t, (_request, index) => index === 0 ? [{ until: released }, ...OK] : [forever])
  const client = await connect(t, port)
  await client.send(GET.repeat(500))
  await rawd.request(0)
  t.equal((await exchange(t, port, 'GET /proxy/missing/ HTTP/1.1\r\nHost: x\r\n\r\n')).status, 404)
  t.equal(rawd.requests.length, 1)
  release()
  const { peer } = await rawd.request(1)
  client.reset()
  await peer.closed
  t.equal(rawd.requests.length, 2)
})

await t.test('a client that does not read stops the upstream, and gets all when it does', async (t) => {
  const piece = randomBytes(MebiByte)
  const count = 64
  const { port, rawd } = await createRig(t, () => [{ send: `HTTP/1.1 200 OK\r\nContent-Length: ${count * MebiByte}\r\n\r\n` }, { send: piece, repeat: count }])
  const client = await connect(t, port)
  client.socket.pause()
  await client.send(GET)
  const { peer: { socket } } = await rawd.request()
  const held = await settle(() => socket.bytesWritten)
  t.ok(held < 32 * MebiByte, `${held} bytes were taken`)

  const hash = createHash('sha256')
  let length = 0
  client.socket.removeAllListeners('data')
  client.socket.on('data', (bytes: Buffer) => {
    const start = length === 0 ? bytes.indexOf('\r\n\r\n') + 4 : 0
    length += bytes.length - start
    hash.update(bytes.subarray(start))
  })
  const all = new Promise<void>((resolve) => {
    client.socket.on('data', () => { if (length >= count * MebiByte) resolve() })
  })
  client.socket.resume()
  await all
  const expected = createHash('sha256')
  for (let round = 0; round < count; round++) expected.update(piece)
  t.equal(hash.digest('hex'), expected.digest('hex'))
})

await t.test('an upstream that does not read stops the client, and gets all when it does', async (t) => {
  let release = () => {}
  const { port, rawd } = await createRig(t, ({ peer }) => {
    peer.socket.pause()
    return [{ until: new Promise<void>((resolve) => { release = resolve }) }, ...OK]
  })
  const body = randomBytes(48 * MebiByte)
  const client = await connect(t, port)
  await client.send(`PUT /proxy/web/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n`)
  const seen = await rawd.request()
  stopReading(seen.peer.socket)
  const sending = client.send(body, MebiByte)
  const held = await settle(() => client.socket.bytesWritten)
  t.ok(held < 32 * MebiByte, `${held} bytes were taken`)
  startReading(seen.peer.socket)
  release()
  await sending
  t.equal((await client.answer()).status, 200)
  t.equal(seen.bodyHash, createHash('sha256').update(body).digest('hex'))
})

await t.test('many open streams and tunnels leave room for a plain request', async (t) => {
  const { port } = await createRig(t, ({ path }) => {
    if (path === '/sse') return [{ send: 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n' }, forever]
    if (path === '/ws') return [{ send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n' }, forever]
    return OK
  })
  for (let count = 0; count < 200; count++) {
    const stream = await connect(t, port)
    await stream.send('GET /proxy/web/sse HTTP/1.1\r\nHost: x\r\n\r\n')
    const tunnel = await connect(t, port)
    await tunnel.send('GET /proxy/web/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n')
    await Promise.all([stream, tunnel].map((client) => client.until((text) => text.includes('\r\n\r\n'))))
  }
  t.equal((await exchange(t, port, GET)).status, 200)
})

await t.test('both directions stream at once', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' }, { wait: 'body' }, { send: '0\r\n\r\n' }])
  const client = await connect(t, port)
  await client.send('POST /proxy/web/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  await client.until((text) => text.includes('\r\n\r\n'))
  const seen = await rawd.request()
  for (const word of ['one', 'two', 'six']) {
    await client.send(`3\r\n${word}\r\n`)
    seen.peer.socket.write(`3\r\n${word}\r\n`)
    await client.until((text) => text.includes(word))
  }
  await client.send('0\r\n\r\n')
  const answer = await client.answer()
  t.equal(answer.body, 'onetwosix')
  t.equal(seen.bodyLength, 9)
})

await t.test('closing the app lets a request finish, ends streams, and ends', async (t) => {
  let release = () => {}
  const released = new Promise<void>((resolve) => { release = resolve })
  const { port, rawd, app } = await createRig(t, ({ path }) => path === '/sse' ? [{ send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n' }, forever] : [{ until: released }, ...OK])
  const stream = await connect(t, port)
  await stream.send('GET /proxy/web/sse HTTP/1.1\r\nHost: x\r\n\r\n')
  await stream.until((text) => text.includes('hi'))
  const slow = await connect(t, port)
  await slow.send('GET /proxy/web/slow HTTP/1.1\r\nHost: x\r\n\r\n')
  await rawd.request(1)
  const closing = app.close()
  release()
  t.equal((await slow.answer()).body, 'ok')
  await closing
  await stream.closed()
  t.notMatch(stream.text, /\r\n0\r\n\r\n$/)
})

/** Waits until a number stops growing. */
async function settle (read: () => number): Promise<number> {
  for (let last = -1; ;) {
    const now = read()
    if (now === last && now > 0) return now
    last = now
    await sleep(300)
  }
}

/** Keeps a socket from being read, whoever asks for more. */
function stopReading (socket: Socket) {
  const { resume } = socket
  readers.set(socket, () => { socket.resume = resume })
  socket.pause()
  socket.resume = () => socket
}

function startReading (socket: Socket) {
  readers.get(socket)?.()
  socket.resume()
}
