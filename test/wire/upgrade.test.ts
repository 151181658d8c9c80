import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import t from 'tap'
import { createRig, TOKEN } from '../support/proxy-app.ts'
import { OK } from '../support/raw-upstream.ts'
import type { Step } from '../support/raw-upstream.ts'
import { connect, exchange } from '../support/raw-client.ts'

const MebiByte = 1024 ** 2
const UPGRADE = 'GET /proxy/web/ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n'
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'

function tunnelled (use: (socket: Socket, rest: Buffer) => void, glued = ''): () => Step[] {
  return () => [{ send: `${SWITCH}\r\n${glued}` }, { take: use }]
}

await t.test('a switched connection carries every byte, also those glued to the handshake on either side', async (t) => {
  const up = randomBytes(4 * MebiByte)
  const down = randomBytes(4 * MebiByte)
  const received = createHash('sha256')
  let count = 0
  const { port } = await createRig(t, tunnelled((socket, rest) => {
    socket.on('data', take)
    take(rest)
    socket.resume()
    socket.write(down)
    function take (bytes: Buffer) {
      received.update(bytes)
      count += bytes.length
      if (count === up.length + 5) socket.end()
    }
  }, 'first'))
  const client = await connect(t, port)
  await client.send(`${UPGRADE}\r\nearly`)
  const [slice] = randomBytes(1)
  await client.send(up, 60_000 + slice!)
  await client.closed()
  const { bytes } = client
  const start = bytes.indexOf('\r\n\r\n') + 4
  t.equal(bytes.toString('latin1', start, start + 5), 'first')
  t.ok(bytes.subarray(start + 5).equals(down))
  t.equal(received.digest('hex'), createHash('sha256').update('early').update(up).digest('hex'))
})

await t.test('S7: the handshake passes both ways, dockAPI\'s token does not', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ send: `${SWITCH}Sec-WebSocket-Accept: abc=\r\nSec-WebSocket-Protocol: v2\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSet-Cookie: a=1; Path=/\r\n\r\n` }])
  const client = await connect(t, port)
  await client.send('GET /proxy/web/a%2Fb?x=1?y HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: http://page.test\r\nCookie: c=1\r\nSec-WebSocket-Key: key\r\nSec-WebSocket-Version: 13\r\n' +
    `Sec-WebSocket-Protocol: v1, v2\r\nSec-WebSocket-Extensions: permessage-deflate\r\nX-App: y\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
  const answer = await client.answer()
  t.equal(answer.status, 101)
  t.same(answer.headers, [['Connection', 'Upgrade'], ['Upgrade', 'websocket'], ['Sec-WebSocket-Accept', 'abc='], ['Sec-WebSocket-Protocol', 'v2'],
    ['Sec-WebSocket-Extensions', 'permessage-deflate'], ['Set-Cookie', 'a=1; Path=/proxy/web/'], ['Via', '1.1 dockapi']])
  const seen = await rawd.request()
  t.equal(seen.path, '/a%2Fb?x=1?y')
  t.same(['Connection', 'Upgrade', 'Origin', 'Cookie', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Sec-WebSocket-Protocol', 'Sec-WebSocket-Extensions', 'X-App', 'X-Forwarded-For', 'Authorization'].map((name) => seen.header(name)),
    ['Upgrade', 'websocket', 'http://page.test', 'c=1', 'key', '13', 'v1, v2', 'permessage-deflate', 'y', '127.0.0.1', undefined])
})

await t.test('an upstream that does not switch is relayed as it is, and the connection closes', async (t) => {
  const { port, rawd } = await createRig(t)
  for (const status of ['200 OK', '403 Forbidden', '404 Not Found', '426 Upgrade Required', '302 Found\r\nLocation: /login']) {
    rawd.clear()
    rawd.plan = () => [{ wait: 'body' }, { send: `HTTP/1.1 ${status}\r\nContent-Length: 4\r\n\r\nnope` }]
    const client = await connect(t, port)
    await client.send(`${UPGRADE}\r\nGET /proxy/web/admin HTTP/1.1\r\nHost: x\r\n\r\n`)
    const answer = await client.answer()
    t.equal(`${answer.status} ${answer.reason}`, status.split('\r\n')[0])
    t.equal(answer.body, 'nope')
    t.equal(answer.header('connection'), 'close')
    await client.closed()
    t.equal(client.bytes.length, 0)
    t.same(rawd.requests.map(({ line }) => line), ['GET /ws HTTP/1.1'], 'what was sent ahead is no request')
    t.equal(rawd.requests[0]!.peer.bytes, rawd.requests[0]!.head.length, 'and reaches nobody')
  }
})

await t.test('failures come before any switch', async (t) => {
  const { port, rawd, add } = await createRig(t)
  const asks = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
  add('down', { port: 1 })
  add('stopped', 'upstream_not_running')
  t.equal((await exchange(t, port, asks('/proxy/down/'))).status, 502)
  t.equal((await exchange(t, port, asks('/proxy/stopped/'))).status, 503)
  t.equal((await exchange(t, port, asks('/proxy/missing/'))).status, 404)
  t.equal((await exchange(t, port, asks('/proxy/web/../x'))).status, 400)
  t.equal((await exchange(t, port, asks('/proxy/web/').replace('Host: x', 'Host: x\r\nHost: y'))).status, 400)
  t.equal(rawd.connections.length, 0)
})

await t.test('a 101 for another protocol, or none, is a bad gateway', async (t) => {
  const { port, rawd } = await createRig(t)
  for (const headers of ['Connection: Upgrade\r\nUpgrade: other\r\n', 'Connection: Upgrade\r\n', '']) {
    rawd.plan = () => [{ send: `HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n` }]
    const answer = await exchange(t, port, `${UPGRADE}\r\n`)
    t.equal(answer.status, 502)
    t.equal(answer.json().code, 'upstream_failed')
  }
})

await t.test('either side may end first and still be sent to', async (t) => {
  const rest = randomBytes(MebiByte)
  const { port, rawd } = await createRig(t, tunnelled((socket) => {
    socket.resume()
    socket.on('end', () => { socket.end(rest) })
  }))
  const client = await connect(t, port)
  await client.send(`${UPGRADE}\r\n`)
  await client.until((text) => text.includes('\r\n\r\n'))
  client.end()
  await client.closed()
  t.ok(client.bytes.subarray(client.bytes.indexOf('\r\n\r\n') + 4).equals(rest))

  let received = 0
  const done = new Promise<void>((resolve) => {
    rawd.plan = tunnelled((socket) => {
      socket.on('data', (bytes: Buffer) => { received += bytes.length })
      socket.on('end', resolve)
      socket.end()
    })
  })
  const other = await connect(t, port)
  await other.send(`${UPGRADE}\r\n`)
  await other.closed()
  await other.send(rest)
  other.end()
  await done
  t.equal(received, rest.length)
})

await t.test('a reset on one side is a reset on the other', async (t) => {
  const { port, rawd } = await createRig(t, tunnelled((socket) => { socket.resume() }))
  const client = await connect(t, port)
  await client.send(`${UPGRADE}\r\n`)
  await client.until((text) => text.includes('\r\n\r\n'))
  const { peer } = await rawd.request()
  client.reset()
  await peer.closed
  t.equal(peer.ended, 'reset')

  rawd.plan = tunnelled((socket) => { socket.resetAndDestroy() })
  const other = await connect(t, port)
  await other.send(`${UPGRADE}\r\n`)
  t.equal(await other.closed(), 'reset')
})

await t.test('a side that does not read stops the other', async (t) => {
  const { port } = await createRig(t, tunnelled((socket) => { socket.write(Buffer.alloc(64 * MebiByte)) }))
  const client = await connect(t, port)
  client.socket.pause()
  await client.send(`${UPGRADE}\r\n`)
  let last = -1
  while (process.memoryUsage().rss !== last) {
    last = process.memoryUsage().rss
    await new Promise((resolve) => { setTimeout(resolve, 100) })
  }
  t.ok(client.socket.bytesRead < 32 * MebiByte)
})

await t.test('a client that leaves while it waits for the switch ends the request upstream', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ until: new Promise(() => {}) }])
  for (const leave of ['end', 'reset'] as const) {
    rawd.clear()
    const client = await connect(t, port)
    await client.send(`${UPGRADE}\r\n`)
    const { peer } = await rawd.request()
    client[leave]()
    await peer.closed
    t.not(peer.ended, 'open')
  }
})

await t.test('an upstream that never answers an upgrade is a timeout', async (t) => {
  const { port } = await createRig(t, () => [{ until: new Promise(() => {}) }], { answerTimeoutMs: 100 })
  t.equal((await exchange(t, port, `${UPGRADE}\r\n`)).status, 504)
})

await t.test('an Upgrade header that means nothing here is ignored', async (t) => {
  const { port, rawd } = await createRig(t)
  const ignored = [
    'GET /proxy/web/ HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n',
    'GET /proxy/web/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n',
    'GET /proxy/web/ HTTP/1.0\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'POST /proxy/web/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc'
  ]
  for (const bytes of ignored) t.equal((await exchange(t, port, bytes)).status, 200)
  for (const { headers } of rawd.requests) t.notMatch(headers.flat().join(), /upgrade|http2-settings/i)
  t.equal((await exchange(t, port, 'GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')).status, 404)
})

await t.test('two upgrades at once and garbage end no process', async (t) => {
  const { port } = await createRig(t, () => [{ wait: 'body' }, { sleepMs: 20 }, ...OK])
  const upgrade = `${UPGRADE}\r\n`
  const garbage = [
    upgrade + upgrade, `GET /proxy/web/ HTTP/1.1\r\nHost: x\r\n\r\n${upgrade}`, `${upgrade}\0\xff\0\xff`, `${UPGRADE}Upgrade: \x01\r\n\r\n`,
    'GET /proxy/web/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 'GET /proxy/%00/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\ngarbage', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', upgrade.slice(0, -4)
  ]
  for (const bytes of garbage) {
    for (const leave of ['reset', 'end'] as const) {
      const client = await connect(t, port)
      await client.send(bytes)
      client[leave]()
      await client.closed()
    }
  }
  t.equal((await exchange(t, port, 'GET /proxy/web/ HTTP/1.1\r\nHost: x\r\n\r\n')).status, 200)
})

await t.test('closing the app says goodbye to both sides of a tunnel, and does not wait for one that stays', async (t) => {
  for (const isPolite of [true, false]) {
    const { port, app } = await createRig(t, tunnelled((socket) => {
      socket.resume()
      if (isPolite) socket.on('end', () => { socket.end() })
    }))
    const client = await connect(t, port)
    await client.send(`${UPGRADE}\r\n`)
    await client.until((text) => text.includes('\r\n\r\n'))
    const closing = app.close()
    await client.closed()
    if (isPolite) client.end()
    await closing
  }
  t.pass('the app is closed')
})
