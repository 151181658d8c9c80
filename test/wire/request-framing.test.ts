import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { createRig } from '../support/proxy-app.ts'
import { OK } from '../support/raw-upstream.ts'
import { connect, exchange } from '../support/raw-client.ts'

const POST = 'POST /proxy/web/ HTTP/1.1\r\nHost: x\r\n'

await t.test('a body on any method is forwarded and never read as the next request', async (t) => {
  const { port, rawd } = await createRig(t)
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PROPFIND']) {
    for (const framed of ['Content-Length: 29\r\n\r\nGET /smuggled HTTP/1.1\r\nX: y\r\n', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n']) {
      rawd.clear()
      await exchange(t, port, `${method} /proxy/web/first HTTP/1.1\r\nHost: x\r\n${framed}`)
      const victim = await exchange(t, port, 'GET /proxy/web/victim HTTP/1.1\r\nHost: x\r\n\r\n')
      t.equal(victim.status, 200)
      t.same(rawd.requests.map(({ line }) => line), [`${method} /first HTTP/1.1`, 'GET /victim HTTP/1.1'])
    }
  }
})

await t.test('chunked uploads arrive whole, however they are cut', async (t) => {
  const { port, rawd } = await createRig(t)
  const body = randomBytes(20_000)
  const hash = createHash('sha256').update(body).digest('hex')
  for (const size of [1, 1000, 20_000]) {
    rawd.clear()
    const pieces = []
    for (let offset = 0; offset < body.length; offset += size) {
      const chunk = body.subarray(offset, offset + size)
      pieces.push(Buffer.from(`${chunk.length.toString(16)};ext=1\r\n`), chunk, Buffer.from('\r\n'))
    }
    const answer = await exchange(t, port, Buffer.concat([Buffer.from(`${POST}Transfer-Encoding: chunked\r\n\r\n`), ...pieces, Buffer.from('0\r\n\r\n')]))
    t.equal(answer.status, 200)
    const seen = await rawd.request()
    t.equal(seen.bodyHash, hash, `chunks of ${size}`)
    t.notMatch(seen.body.toString('latin1', 0, 20), /ext/)
  }
})

await t.test('a request that arrives byte by byte is one request', async (t) => {
  const { port, rawd } = await createRig(t)
  const client = await connect(t, port)
  await client.send(`${POST}Content-Length: 3\r\n\r\nabc`, 1)
  t.equal((await client.answer()).status, 200)
  t.same(rawd.requests.map(({ body }) => body.toString()), ['abc'])
})

await t.test('framing with two meanings never reaches the upstream', async (t) => {
  const { port, rawd } = await createRig(t)
  const smuggle = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
  const cases = [
    `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggle}`,
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${smuggle}`,
    `${POST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef`,
    `${POST}Content-Length: 5, 6\r\n\r\nabcdef`,
    ...['', '+5', '-5', '0x5', '5_0', '5Z', '1e1', '5 5'].map((length) => `${POST}Content-Length: ${length}\r\n\r\nabcde`),
    ...['chunked, chunked', 'gzip, chunked', '\x0bchunked', ',chunked', 'identity', 'chunked, identity', 'xchunked'].map((coding) => `${POST}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`),
    `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    'POST /proxy/web/ HTTP/1.1\r\n Transfer-Encoding: chunked\r\nHost: x\r\n\r\n0\r\n\r\n',
    `${POST}X: a\r\n folded\r\n\r\n`,
    `${POST}X: a\rb\r\n\r\n`,
    `${POST}X: a\0b\r\n\r\n`,
    'POST /proxy/web/ HTTP/1.1\nHost: x\n\n',
    `${POST}Content-Length: 3\r\n\rabc`,
    'POST /proxy/web/ HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
  ]
  for (const bytes of cases) {
    const client = await connect(t, port)
    await client.send(bytes)
    const answer = await client.answer()
    t.equal(answer.status, 400, JSON.stringify(bytes.slice(24, 90)))
  }
  t.notMatch(rawd.requests.map(({ line }) => line).join(), /smuggled/)
  t.equal(rawd.requests.length, 0)
})

await t.test('a length is written in its one plain form', async (t) => {
  const { port, rawd } = await createRig(t)
  const { status } = await exchange(t, port, `${POST}Content-Length: 003\r\n\r\nabc`)
  if (status === 200) t.same((await rawd.request()).all('Content-Length'), ['3'])
  else t.equal(status, 400)
})

await t.test('an empty body keeps its length', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, `${POST}Content-Length: 0\r\n\r\n`)
  await exchange(t, port, `${POST}\r\n`)
  t.same((await rawd.request(0)).all('Content-Length'), ['0'])
  t.same((await rawd.request(1)).all('Content-Length'), [])
})

await t.test('an upload that breaks off never looks complete to the upstream', async (t) => {
  const { port, rawd } = await createRig(t)
  for (const [framed, isReset] of [['Content-Length: 100\r\n\r\nabc', true], ['Content-Length: 100\r\n\r\nabc', false], ['Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', true], ['Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', false]] as const) {
    rawd.clear()
    const client = await connect(t, port)
    await client.send(`${POST}${framed}`)
    const seen = await rawd.request()
    const connection = seen.peer
    while (seen.bodyLength < 3) await new Promise((resolve) => { setImmediate(resolve) })
    if (isReset) client.reset()
    else client.end()
    await connection.closed
    t.not(connection.ended, 'open')
    t.equal(seen.isComplete, false)
    t.equal(seen.bodyLength, 3)
  }
})

await t.test('a client that never sends its body is answered, and the upstream is let go', async (t) => {
  const { port, rawd } = await createRig(t, () => OK, { answerTimeoutMs: 200 })
  const client = await connect(t, port)
  await client.send(`${POST}Content-Length: 3\r\n\r\n`)
  const answer = await client.answer()
  t.equal(answer.status, 408)
  t.equal(answer.json().code, 'request_timeout')
  await (await rawd.request()).peer.closed
})

await t.test('an answer before the upload is over reaches the client, and the rest is no request', async (t) => {
  const { port, rawd } = await createRig(t, ({ path }) => path === '/big' ? [{ send: 'HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig' }, { end: true }] : OK)
  const client = await connect(t, port)
  const part = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(30_000)
  await client.send(`POST /proxy/web/big HTTP/1.1\r\nHost: x\r\nContent-Length: ${part.length * 2}\r\n\r\n`)
  const sending = client.send(part + part)
  const answer = await client.answer()
  t.equal(answer.status, 413)
  t.equal(answer.body, 'big')
  await sending
  await client.send('GET /proxy/web/next HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal((await client.answer()).status, 200)
  t.same(rawd.requests.map(({ path }) => path), ['/big', '/next'])
})

await t.test('the body limit of the API does not hold for the application', async (t) => {
  const { port, rawd } = await createRig(t)
  const body = randomBytes(5 * 1024 ** 2)
  const answer = await exchange(t, port, Buffer.concat([Buffer.from(`${POST}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`), body]))
  t.equal(answer.status, 200)
  t.equal((await rawd.request()).bodyHash, createHash('sha256').update(body).digest('hex'))
})
