import t from 'tap'
import { createRig } from '../support/proxy-app.ts'
import type { Step } from '../support/raw-upstream.ts'
import { connect, exchange } from '../support/raw-client.ts'

const GET = 'GET /proxy/web/ HTTP/1.1\r\nHost: app.test:8000\r\n\r\n'

function say (bytes: string, slice?: number): () => Step[] {
  return () => [{ wait: 'body' }, slice === undefined ? { send: bytes } : { send: bytes, slice }]
}

await t.test('what the upstream means for its own hop does not reach the client', async (t) => {
  const { port } = await createRig(t, say('HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\nUpgrade: h2c\r\nProxy-Connection: x\r\nTE: x\r\nTrailer: X\r\nX-End: 1\r\nContent-Length: 2\r\n\r\nok'))
  const client = await connect(t, port)
  for (let round = 0; round < 2; round++) {
    await client.send(GET)
    const answer = await client.answer()
    t.equal(answer.body, 'ok')
    for (const name of ['X-Hop', 'Upgrade', 'Proxy-Connection', 'TE', 'Trailer']) t.same(answer.all(name), [], name)
    t.same(answer.all('Connection'), ['keep-alive'], 'the client keeps its own connection')
    t.notMatch(answer.header('keep-alive'), 'timeout=1,')
    t.equal(answer.header('x-end'), '1')
    t.equal(answer.header('via'), '1.1 dockapi')
  }
})

await t.test('header lines, their order and their bytes are kept', async (t) => {
  const { port } = await createRig(t, say('HTTP/1.1 299 As you like\r\nx-a: 1\r\nSet-Cookie: a=1\r\nX-A: 2\r\nSet-Cookie: b=%0d%0aX: y\r\nset-cookie: c=caf\xe9\r\nVia: 1.1 app\r\nContent-Length: 0\r\n\r\n', 1))
  const answer = await exchange(t, port, GET)
  t.equal(answer.status, 299)
  t.equal(answer.reason, 'As you like')
  t.same(answer.headers.slice(0, 5), [['x-a', '1'], ['Set-Cookie', 'a=1'], ['X-A', '2'], ['Set-Cookie', 'b=%0d%0aX: y'], ['set-cookie', 'c=caf\xe9']])
  t.same(answer.all('Via'), ['1.1 app, 1.1 dockapi'])
})

await t.test('redirects to the container\'s root lead back under the prefix, others are left alone', async (t) => {
  const { port, rawd } = await createRig(t)
  const own = `127.0.0.1:${rawd.port}`
  const cases = new Map([
    ['/login', '/proxy/web/login'], ['/', '/proxy/web/'], ['/proxy/web/x', '/proxy/web/x'], ['/proxy/website', '/proxy/web/proxy/website'],
    [`http://${own}/x?y`, '/proxy/web/x?y'], [`http://${own}`, '/proxy/web/'], [`//${own}/x`, '/proxy/web/x'],
    ['http://app.test:8000/x', 'http://app.test:8000/proxy/web/x'], ['http://app.test:8000/proxy/web/x', 'http://app.test:8000/proxy/web/x'],
    ['//evil/x', '//evil/x'], ['https://ext/x', 'https://ext/x'], ['next', 'next'], ['?page=2', '?page=2'], ['mailto:a@b', 'mailto:a@b']
  ])
  for (const [location, expected] of cases) {
    rawd.plan = say(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Location: ${location}\r\nRefresh: 5; url=${location}\r\nContent-Length: 0\r\n\r\n`)
    const answer = await exchange(t, port, GET)
    t.equal(answer.status, 302)
    t.equal(answer.header('location'), expected)
    t.equal(answer.header('content-location'), expected)
    t.equal(answer.header('refresh'), `5; url=${expected}`)
  }
  t.equal(rawd.requests.length, cases.size, 'no redirect was followed')
})

await t.test('S9: cookies belong to their container', async (t) => {
  const { port, rawd } = await createRig(t)
  const cases = new Map([
    ['sid=1; Path=/', 'sid=1; Path=/proxy/web/'], ['sid=1;path=/app;HttpOnly', 'sid=1; Path=/proxy/web/app;HttpOnly'],
    ['sid=1; Path=/proxy/web/x; Secure', 'sid=1; Path=/proxy/web/x; Secure'], ['sid=1; Domain=localhost; SameSite=Lax', 'sid=1; SameSite=Lax'],
    ['sid=1; domain=.localhost;Path=/; Max-Age=1', 'sid=1; Path=/proxy/web/; Max-Age=1'], ['sid=1', 'sid=1'], ['path=/; Path=/', 'path=/; Path=/proxy/web/']
  ])
  rawd.plan = say(`HTTP/1.1 200 OK\r\n${[...cases.keys()].map((line) => `Set-Cookie: ${line}\r\n`).join('')}Content-Length: 0\r\n\r\n`)
  t.same((await exchange(t, port, GET)).all('Set-Cookie'), [...cases.values()])
})

await t.test('S10: a container does not speak for the whole origin', async (t) => {
  const { port } = await createRig(t, say('HTTP/1.1 200 OK\r\nService-Worker-Allowed: /\r\nClear-Site-Data: "*"\r\nAlt-Svc: h3=":1"\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: 0\r\n\r\n'))
  const answer = await exchange(t, port, GET)
  for (const name of ['Service-Worker-Allowed', 'Clear-Site-Data', 'Alt-Svc', 'Strict-Transport-Security']) t.same(answer.all(name), [], name)
})

await t.test('answers without a body have none, and both connections go on', async (t) => {
  const { port, rawd } = await createRig(t)
  const cases: [method: string, upstream: string, status: number, length: string | undefined][] = [
    ['HEAD', '200 OK\r\nContent-Length: 1234\r\n\r\n', 200, '1234'],
    ['HEAD', '200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 200, undefined],
    ['HEAD', '200 OK\r\nContent-Length: 3\r\n\r\nbad', 200, '3'],
    ['GET', '204 No Content\r\n\r\n', 204, undefined],
    ['GET', '204 No Content\r\nContent-Length: 3\r\n\r\nbad', 204, undefined],
    ['GET', '304 Not Modified\r\nContent-Length: 1234\r\nETag: "x"\r\n\r\n', 304, '1234'],
    ['GET', '304 Not Modified\r\n\r\n', 304, undefined],
    ['GET', '205 Reset Content\r\nContent-Length: 3\r\n\r\nbad', 205, '0'],
    ['GET', '200 OK\r\nContent-Length: 0\r\n\r\n', 200, '0']
  ]
  const client = await connect(t, port)
  for (const [method, upstream, status, length] of cases) {
    rawd.plan = say(`HTTP/1.1 ${upstream}`)
    await client.send(`${method} /proxy/web/ HTTP/1.1\r\nHost: x\r\n\r\n`)
    const answer = await client.answer(method)
    t.equal(answer.status, status, upstream)
    t.equal(answer.header('content-length'), length)
    t.equal(answer.body, '')
    rawd.plan = say('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext')
    await client.send(GET)
    t.equal((await client.answer()).body, 'next')
    t.equal(client.bytes.length, 0)
  }
})

await t.test('a 304 with a length does not cost the connection', async (t) => {
  const { port, rawd } = await createRig(t, say('HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n'))
  for (let round = 0; round < 3; round++) await exchange(t, port, GET)
  t.equal(rawd.connections.length, 1)
})

await t.test('HTTP/1.0 clients get no chunks and a connection that ends', async (t) => {
  const { port } = await createRig(t, say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'))
  for (const connection of ['', 'Connection: keep-alive\r\n']) {
    const client = await connect(t, port)
    await client.send(`GET /proxy/web/ HTTP/1.0\r\nHost: x\r\n${connection}\r\n`)
    await client.closed()
    t.match(client.text, /\r\n\r\nabc$/)
    t.notMatch(client.text, /chunked/i)
  }
})

await t.test('an HTTP/1.0 upstream that ends with its connection is relayed whole', async (t) => {
  const { port } = await createRig(t, () => [{ wait: 'body' }, { send: 'HTTP/1.0 200 OK\r\n\r\nabc' }, { send: 'def' }, { end: true }])
  const answer = await exchange(t, port, GET)
  t.equal(answer.body, 'abcdef')
  t.equal(answer.isComplete, true)
})

await t.test('interim answers pass to clients that know them', async (t) => {
  const { port } = await createRig(t, say('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', 7))
  const client = await connect(t, port)
  await client.send(GET)
  const hints = await client.answer()
  t.equal(hints.status, 103)
  t.same(hints.headers, [['Link', '</a.css>; rel=preload'], ['Via', '1.1 dockapi']])
  t.equal((await client.answer()).status, 200)
  const old = await exchange(t, port, 'GET /proxy/web/ HTTP/1.0\r\nHost: x\r\n\r\n')
  t.equal(old.status, 200)
})

await t.test('a 100 that nobody asked for is swallowed', async (t) => {
  const { port } = await createRig(t, say('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  t.equal((await exchange(t, port, GET)).body, 'ok')
})

await t.test('an upstream that only hints is a bad gateway', async (t) => {
  const { port } = await createRig(t, () => [{ wait: 'body' }, { send: 'HTTP/1.1 103 Early Hints\r\n\r\n' }, { end: true }])
  const client = await connect(t, port)
  await client.send(GET)
  t.equal((await client.answer()).status, 103)
  t.equal((await client.answer()).status, 502)
})

await t.test('trailers reach the client, those that would change the answer do not', async (t) => {
  const { port } = await createRig(t, say('HTTP/1.1 200 OK\r\nTrailer: X-T\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\nSet-Cookie: a=1\r\nVary: x\r\n\r\n'))
  const answer = await exchange(t, port, 'GET /proxy/web/ HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n\r\n')
  t.equal(answer.body, 'ok')
  t.equal(answer.trailers, 'X-T: 1')
})

await t.test('ranges, codings and validators pass untouched', async (t) => {
  const gzip = '\x1f\x8b\x08\0not really gzip'
  const { port, rawd } = await createRig(t, say(`HTTP/1.1 206 Partial Content\r\nContent-Encoding: gzip\r\nContent-Range: bytes 0-${gzip.length - 1}/99\r\nETag: W/"a"\r\nAccept-Ranges: bytes\r\nContent-Length: ${gzip.length}\r\n\r\n${gzip}`))
  const answer = await exchange(t, port, 'GET /proxy/web/ HTTP/1.1\r\nHost: x\r\nRange: bytes=0-18\r\nIf-Range: W/"a"\r\nAccept-Encoding: gzip, br\r\n\r\n')
  t.equal(answer.status, 206)
  t.equal(answer.body, gzip)
  t.equal(answer.header('content-encoding'), 'gzip')
  t.equal(answer.header('content-range'), `bytes 0-${gzip.length - 1}/99`)
  const seen = await rawd.request()
  t.same(['Range', 'If-Range', 'Accept-Encoding'].map((name) => seen.header(name)), ['bytes=0-18', 'W/"a"', 'gzip, br'])
})

await t.test('pipelined requests are answered in order', async (t) => {
  const { port } = await createRig(t, ({ path }) => [{ wait: 'body' }, { sleepMs: path === '/slow' ? 50 : 0 }, { send: `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}` }])
  const client = await connect(t, port)
  await client.send('GET /proxy/web/slow HTTP/1.1\r\nHost: x\r\n\r\nGET /proxy/web/fast HTTP/1.1\r\nHost: x\r\n\r\n')
  t.equal((await client.answer()).body, '/slow')
  t.equal((await client.answer()).body, '/fast')
})
