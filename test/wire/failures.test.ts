import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectSocket } from 'node:net'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { createProxyApp, createRig } from '../support/proxy-app.ts'
import { createRawUpstream, OK } from '../support/raw-upstream.ts'
import type { Step } from '../support/raw-upstream.ts'
import { connect, exchange } from '../support/raw-client.ts'
import { CERTIFICATE, KEY } from '../support/certificate.ts'

const GET = 'GET /proxy/web/ HTTP/1.1\r\nHost: x\r\n\r\n'
const POST = 'POST /proxy/web/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc'
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

await t.test('an answer that is no valid HTTP is a bad gateway without internals, and its connection is not used again', async (t) => {
  const { port, rawd } = await createRig(t)
  const answers = [
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok', 'HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok', 'HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nok', 'HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nok',
    'HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\n\r\n', 'HTTP/1.1 200 OK\r\nX: a\x7f\r\n\r\n',
    'HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n', 'HTTP/1.1 200 OK\r\nX : a\r\n\r\n', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n', 'HTTP/1.1 200 OK\r\n: no name\r\n\r\n',
    'HTTP/1.1 200 OK\n\nok', 'HTTP/1.1 99 Low\r\n\r\n', 'HTTP/1.1 600 High\r\n\r\n', 'HTTP/1.1 2000 Long\r\n\r\n', 'HTTP/2.0 200 OK\r\n\r\n', 'ICY 200 OK\r\n\r\n', 'garbage', '\0\0\0',
    'SSH-2.0-OpenSSH\r\n', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n',
    `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20)}${ANSWER}`
  ]
  for (const bytes of answers) {
    rawd.clear()
    rawd.plan = () => [{ wait: 'body' }, { send: bytes }]
    const client = await connect(t, port)
    await client.send(POST)
    let answer = await client.answer()
    while (answer.status === 103) answer = await client.answer()
    t.equal(answer.status, 502, JSON.stringify(bytes.slice(0, 60)))
    t.equal(answer.json().code, 'upstream_failed')
    t.notMatch(answer.body, /127\.0\.0\.1|ECONN|\.ts|undici|node:/)
    await (await rawd.request()).peer.closed
    t.equal(rawd.requests.length, 1)
  }
})

await t.test('a chunk that is none breaks the answer off visibly', async (t) => {
  const { port, rawd } = await createRig(t)
  for (const chunk of ['zz\r\nabc\r\n', '3\r\nabcd\r\n0\r\n\r\n', '3 \r\nabc\r\n', '-3\r\nabc\r\n', '3\nabc\n', '0\r\nbad trailer\r\n\r\n', 'fffffffffffffffff\r\n']) {
    rawd.plan = () => [{ wait: 'body' }, { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n' }, { sleepMs: 5 }, { send: chunk }]
    const client = await connect(t, port)
    await client.send(GET)
    await client.closed()
    t.notMatch(client.text, /0\r\n\r\n$/, JSON.stringify(chunk))
  }
})

await t.test('an answer that breaks off never looks whole to the client', async (t) => {
  const { port, rawd } = await createRig(t)
  const cases: [bytes: string, last: Step][] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', { end: true }], ['HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc', { reset: true }],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', { end: true }], ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', { reset: true }],
    ['HTTP/1.1 200 OK\r\n\r\nabc', { reset: true }]
  ]
  for (const [bytes, last] of cases) {
    for (const version of ['1.1', '1.0']) {
      rawd.plan = () => [{ wait: 'body' }, { send: bytes }, { sleepMs: 20 }, last]
      const client = await connect(t, port)
      await client.send(`GET /proxy/web/ HTTP/${version}\r\nHost: x\r\n\r\n`)
      const how = await client.closed()
      t.match(client.text, /abc/)
      const isVisible = /transfer-encoding/i.test(client.text) ? !client.text.endsWith('0\r\n\r\n') : /content-length: 100/i.test(client.text) || how === 'reset'
      t.ok(isVisible, `${version} ${JSON.stringify(bytes.slice(16, 50))} ${Object.keys(last).join()}`)
    }
  }
})

await t.test('an upstream may reset at any byte of its answer', async (t) => {
  const { port, rawd } = await createRig(t)
  const bytes = `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(100)}\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n${'b'.repeat(20)}\r\n14\r\n${'c'.repeat(20)}\r\n0\r\nX-T: 1\r\n\r\n`
  let failed = 0
  for (let offset = 0; offset < Math.min(300, bytes.length); offset++) {
    rawd.plan = () => [{ wait: 'body' }, { send: bytes.slice(0, offset) }, offset % 2 === 0 ? { reset: true } : { end: true }]
    const client = await connect(t, port)
    await client.send(GET)
    await client.until((text) => text.includes('HTTP/1.1 502') || text.includes('HTTP/1.1 200')).catch(() => {})
    client.socket.destroy()
    if (client.text.endsWith('0\r\n\r\n')) failed++
  }
  t.equal(failed, 0)
  rawd.plan = () => OK
  t.equal((await exchange(t, port, GET)).status, 200)
})

await t.test('bytes that follow an answer are never taken for another one', async (t) => {
  const { port, rawd } = await createRig(t)
  const evil = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL'
  rawd.plan = (_request, index) => index === 0 ? [{ wait: 'body' }, { send: ANSWER + evil }] : OK
  for (let round = 0; round < 20; round++) t.equal((await exchange(t, port, GET)).body, 'ok')

  rawd.clear()
  rawd.plan = (_request, index) => index === 0 ? [{ wait: 'body' }, { send: ANSWER }, { sleepMs: 20 }, { send: evil }] : OK
  t.equal((await exchange(t, port, GET)).body, 'ok')
  await (await rawd.request()).peer.closed
  for (let round = 0; round < 20; round++) t.equal((await exchange(t, port, GET)).body, 'ok')
})

await t.test('bytes that wait on a kept connection when it is wanted are not the answer', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, GET)
  const { socket } = (await rawd.request()).peer
  const client = await connect(t, port)
  // Both are written in one turn: the proxy finds the poison and the request together.
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL')
  client.socket.write(GET)
  t.equal((await client.answer()).body, 'ok')
})

await t.test('each failure has its code', async (t) => {
  const proxied = await createProxyApp(t, { answerTimeoutMs: 150 })
  const closed = await createRawUpstream()
  await closed.close()
  const silent = await createRawUpstream(() => [{ until: new Promise(() => {}) }])
  const resetting = await createRawUpstream(() => [{ wait: 'body' }, { reset: true }])
  const ending = await createRawUpstream(() => [{ wait: 'body' }, { end: true }])
  t.after(() => Promise.all([silent.close(), resetting.close(), ending.close()]))
  proxied.add('closed', { port: closed.port })
  proxied.add('silent', { port: silent.port })
  proxied.add('resetting', { port: resetting.port })
  proxied.add('ending', { port: ending.port })
  proxied.add('stopped', 'upstream_not_running')
  proxied.add('portless', 'no_port')
  proxied.add('several', 'ambiguous_id')
  const expected = [['missing', 404, 'container_not_found'], ['stopped', 503, 'upstream_not_running'], ['portless', 400, 'no_port'], ['several', 409, 'ambiguous_id'],
    ['closed', 502, 'upstream_failed'], ['resetting', 502, 'upstream_failed'], ['ending', 502, 'upstream_failed'], ['silent', 504, 'upstream_timeout']] as const
  for (const [name, status, code] of expected) {
    for (const method of ['GET', 'POST']) {
      const answer = await exchange(t, proxied.port, `${method} /proxy/${name}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`)
      t.equal(answer.status, status, name)
      t.equal(answer.json().code, code)
      t.equal(answer.json().status, status)
      t.ok(answer.json().request_id)
      t.equal(answer.header('content-type'), 'application/problem+json; charset=utf-8')
      t.notMatch(answer.body, /127\.0\.0\.1|ECONN|\.ts\b/)
    }
  }
})

await t.test('a connection that is not accepted in time is a timeout', async (t) => {
  // A listener that accepts nobody, from before its port is known: once its queue is full, the kernel drops what else comes.
  const program = 'const s = require("net").createServer().listen(0, "127.0.0.1", 1, () => { setImmediate(() => { console.log(s.address().port); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }) })'
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => { child.kill('SIGKILL') })
  const [line] = await once(createInterface({ input: child.stdout }), 'line') as [string]
  await fill(t, Number(line))
  const proxied = await createProxyApp(t, { connectTimeoutMs: 300, answerTimeoutMs: 60_000 })
  proxied.add('web', { port: Number(line) })
  const answer = await exchange(t, proxied.port, GET)
  t.equal(answer.status, 504)
  t.equal(answer.json().code, 'upstream_timeout')
  t.match(answer.json().detail, 'did not accept')
})

/** Connects to a listener until the kernel lets nobody in any more. */
async function fill (t: Test, port: number) {
  for (let count = 0; count < 16; count++) {
    const filler = connectSocket({ port, host: '127.0.0.1' }).on('error', () => {})
    t.after(() => { filler.destroy() })
    const isIn = await Promise.race([once(filler, 'connect').then(() => true), sleep(300).then(() => false)])
    if (!isIn) return
  }
}

await t.test('an upstream whose certificate cannot be verified is not talked to', async (t) => {
  let hits = 0
  const server = createServer({ cert: CERTIFICATE, key: KEY }, (_request, response) => { hits++; response.end() })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => { server.close() })
  const proxied = await createProxyApp(t)
  proxied.add('web', { scheme: 'https', port: (server.address() as AddressInfo).port })
  const answer = await exchange(t, proxied.port, GET)
  t.equal(answer.status, 502)
  t.equal(answer.json().code, 'upstream_failed')
  t.equal(hits, 0)
})

await t.test('a request that was sent is not sent again', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ wait: 'body' }, { reset: true }])
  t.equal((await exchange(t, port, POST)).status, 502)
  t.equal((await exchange(t, port, GET)).status, 502)
  t.equal(rawd.requests.length, 2)
})

await t.test('503 costs one request', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ wait: 'body' }, { send: 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\nno' }])
  const answer = await exchange(t, port, GET)
  t.equal(answer.status, 503)
  t.equal(answer.body, 'no')
  t.equal(answer.header('retry-after'), '1')
  t.equal(rawd.requests.length, 1)
})

await t.test('a kept connection that was closed just now costs a GET nothing, and a POST one hit', async (t) => {
  const { port, rawd } = await createRig(t)
  for (const [request, status, hits] of [[GET, 200, 3], [POST, 502, 2]] as const) {
    rawd.clear()
    // The second request on a connection meets a reset, as if the upstream had closed it a moment ago.
    const used = new Set<number>()
    rawd.plan = ({ connection }) => used.has(connection) ? [{ wait: 'body' }, { reset: true }] : (used.add(connection), OK)
    t.equal((await exchange(t, port, GET)).status, 200)
    const answer = await exchange(t, port, request)
    t.equal(answer.status, status)
    t.equal(rawd.requests.length, hits)
  }
})

await t.test('a connection that the upstream keeps for a second only is not used again', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ wait: 'body' }, { send: 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=9\r\nContent-Length: 2\r\n\r\nok' }])
  for (let round = 0; round < 2; round++) t.equal((await exchange(t, port, GET)).body, 'ok')
  t.equal(rawd.connections.length, 2)
})

await t.test('a second failure of a repeated request is final', async (t) => {
  const { port, rawd } = await createRig(t, (_request, index) => index === 0 ? OK : [{ wait: 'body' }, { reset: true }])
  t.equal((await exchange(t, port, GET)).status, 200)
  t.equal((await exchange(t, port, GET)).status, 502)
  t.equal(rawd.requests.length, 3)
})
