import t from 'tap'
import { createRig, TOKEN } from '../support/proxy-app.ts'
import { OK } from '../support/raw-upstream.ts'
import { connect, exchange } from '../support/raw-client.ts'

const GET = 'GET /proxy/web/ HTTP/1.1\r\nHost: app.test:8000\r\n'

await t.test('what is meant for one hop does not reach the upstream', async (t) => {
  const { port, rawd } = await createRig(t)
  const answer = await exchange(t, port, `${GET}Connection: close, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\n` +
    'Proxy-Authorization: Basic x\r\nTE: gzip, trailers\r\nUpgrade: foo\r\nX-Bar: 2\r\n\r\n')
  t.equal(answer.status, 200)
  const seen = await rawd.request()
  for (const name of ['Connection', 'X-Foo', 'Keep-Alive', 'Proxy-Connection', 'Proxy-Authorization', 'Upgrade']) t.same(seen.all(name), [], name)
  t.same(seen.all('TE'), ['trailers'])
  t.same(seen.all('X-Bar'), ['2'])
})

await t.test('TE without trailers is left out', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, `${GET}TE: gzip\r\n\r\n`)
  t.same((await rawd.request()).all('TE'), [])
})

await t.test('a Connection header takes away nothing that the proxy states', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, 'POST /proxy/web/ HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\n' +
    'Connection: X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, Via, Host, Content-Length, x-forwarded-for\r\n\r\nabc')
  const seen = await rawd.request()
  t.same(seen.all('X-Forwarded-For'), ['127.0.0.1'])
  t.same(seen.all('X-Forwarded-Host'), ['app.test'])
  t.same(seen.all('X-Forwarded-Proto'), ['http'])
  t.same(seen.all('Via'), ['1.1 dockapi'])
  t.same(seen.all('Host'), [`127.0.0.1:${rawd.port}`])
  t.same(seen.all('Content-Length'), ['3'])
  t.equal(seen.body.toString(), 'abc')
})

await t.test('only the proxy says who the client is', async (t) => {
  const { port, rawd } = await createRig(t)
  const forged = ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-Port', 'X-Forwarded-Prefix', 'X-Forwarded-Uri', 'X-Forwarded-Method',
    'X-Forwarded-Server', 'X-Real-IP', 'Forwarded', 'X_Forwarded_For', 'x_forwarded-host', 'X_Real_IP', 'Content_Length', 'Transfer_Encoding']
  await exchange(t, port, `${GET}${forged.map((name) => `${name}: forged\r\n`).join('')}\r\n`)
  const seen = await rawd.request()
  t.notMatch(seen.head, /forged/)
  t.same(seen.all('X-Forwarded-For'), ['127.0.0.1'])
  t.same(seen.all('X-Forwarded-Host'), ['app.test:8000'])
  t.same(seen.all('X-Forwarded-Proto'), ['http'])
  t.same(seen.all('X-Forwarded-Prefix'), ['/proxy/web'])
  t.same(seen.all('Forwarded'), ['for=127.0.0.1;host="app.test:8000";proto=http'])
})

await t.test('an IPv6 host is quoted in Forwarded', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, 'GET /proxy/web/ HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n')
  t.same((await rawd.request()).all('Forwarded'), ['for=127.0.0.1;host="[::1]:8000";proto=http'])
})

await t.test('Via is appended to and names no host', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, `${GET}Via: 1.0 front, 1.1 other\r\n\r\n`)
  t.same((await rawd.request()).all('Via'), ['1.0 front, 1.1 other, 1.1 dockapi'])
})

await t.test('a container that sends its requests back is found out', async (t) => {
  const proxied = await createRig(t)
  proxied.add('loop', { port: proxied.port })
  // The proxy is its own upstream here: each hop takes one more prefix off.
  const answer = await exchange(t, proxied.port, `GET ${'/proxy/loop'.repeat(10)}/ HTTP/1.1\r\nHost: x\r\n\r\n`)
  t.equal(answer.status, 508)
  t.equal(answer.json().code, 'proxy_loop')
  t.ok(answer.all('Via')[0]!.split(',').length <= 5, 'after few hops')
})

await t.test('order, case and repeats are kept', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, `${GET}x-A: 1\r\nACCEPT: */*\r\nX-a: 2\r\n\r\n`)
  const { headers } = await rawd.request()
  t.same(headers.slice(1, 4), [['x-A', '1'], ['ACCEPT', '*/*'], ['X-a', '2']])
})

await t.test('several Cookie lines become one', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, `${GET}Cookie: a=1\r\nX: y\r\nCookie: b=2\r\n\r\n`)
  t.same((await rawd.request()).all('Cookie'), ['a=1; b=2'])
})

await t.test('names that are special in JavaScript and odd values pass', async (t) => {
  const { port, rawd } = await createRig(t)
  const long = 'v'.repeat(8000)
  await exchange(t, port, `${GET}__proto__: a\r\nconstructor: b\r\nhasOwnProperty: c\r\ntoString: d\r\nX-Obs: caf\xe9\r\nX-Long: ${long}\r\n\r\n`)
  const seen = await rawd.request()
  t.same(['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'X-Obs'].map((name) => seen.header(name)), ['a', 'b', 'c', 'd', 'caf\xe9'])
  t.equal(seen.header('X-Long'), long)
})

await t.test('a request with two meanings is refused before anything is dialled', async (t) => {
  const { port, rawd } = await createRig(t)
  const heads = [
    'Host: a\r\nHost: a', 'Host: a\r\nHost: b', 'Host: a/b@c', 'Host: a b', 'Host: a:99999', 'Host: [::1', 'Host: .', 'Host: example.com.:1.2', 'Host:', 'X: y',
    'Host: a\r\nAuthorization: Basic x\r\nAuthorization: Basic y'
  ]
  // A Host that is no host is refused by the parser or, as one that is not allowed, by the guard.
  for (const head of heads) t.match((await exchange(t, port, `GET /proxy/web/ HTTP/1.1\r\n${head}\r\n\r\n`)).status.toString(), /^40[03]$/, head)
  t.equal(rawd.connections.length, 0)
})

await t.test('S7: the Authorization of dockAPI stays, the one of the application passes', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, `${GET}Authorization: Bearer ${TOKEN}\r\n\r\n`)
  await exchange(t, port, `${GET}Authorization: Basic dXNlcjpwYXNz\r\n\r\n`)
  t.same((await rawd.request(0)).all('Authorization'), [])
  t.same((await rawd.request(1)).all('Authorization'), ['Basic dXNlcjpwYXNz'])
})

await t.test('request trailers never become headers', async (t) => {
  const { port, rawd } = await createRig(t)
  await exchange(t, port, 'POST /proxy/web/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n' +
    '3\r\nabc\r\n0\r\nX-T: 1\r\nHost: evil\r\nAuthorization: evil\r\nX-Forwarded-For: evil\r\n\r\n')
  const seen = await rawd.request()
  t.notMatch(seen.head, /evil|Trailer/)
  t.equal(seen.body.toString(), '3\r\nabc\r\n0\r\n\r\n')
})

await t.test('methods reach the upstream as they are, whatever the content type says', async (t) => {
  const { port, rawd } = await createRig(t)
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY', 'PURGE', 'M-SEARCH', 'LOCK']
  for (const method of methods) {
    const answer = await exchange(t, port, `${method} /proxy/web/ HTTP/1.1\r\nHost: x\r\nContent-Type: no type\r\nContent-Length: 2\r\n\r\n{x`)
    t.equal(answer.status, 200, method)
  }
  t.same(rawd.requests.map(({ method, body, headers }) => [method, body.toString(), headers.find(([name]) => name === 'Content-Type')?.[1]]),
    methods.map((method) => [method, '{x', 'no type']))
})

await t.test('TRACE, CONNECT and targets that are no path reach nothing', async (t) => {
  const { port, rawd } = await createRig(t)
  const trace = await exchange(t, port, 'TRACE /proxy/web/ HTTP/1.1\r\nHost: x\r\nAuthorization: secret\r\n\r\n')
  t.equal(trace.status, 405)
  t.notMatch(trace.body, /secret/)
  t.equal((await exchange(t, port, 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n')).status, 405)
  for (const target of ['*', 'admin', 'host:80', 'http://169.254.169.254/latest', 'http://other/proxy/web/']) {
    const { status } = await exchange(t, port, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
    t.ok(status >= 400 && status < 500, `${target}: ${status}`)
  }
  const upgrade = await exchange(t, port, 'GET http://169.254.169.254/latest HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  t.ok(upgrade.status >= 400 && upgrade.status < 500)
  t.equal(rawd.connections.length, 0)
})

await t.test('an expectation other than 100-continue is refused', async (t) => {
  const { port, rawd } = await createRig(t)
  t.equal((await exchange(t, port, `${GET}Expect: token=x\r\n\r\n`)).status, 417)
  t.equal(rawd.connections.length, 0)
})

await t.test('a client that waits for 100 is told to go on, and the upstream is not asked', async (t) => {
  const { port, rawd } = await createRig(t)
  const client = await connect(t, port)
  await client.send('POST /proxy/web/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
  t.equal((await client.answer()).status, 100)
  await client.send('abc')
  t.equal((await client.answer()).status, 200)
  const seen = await rawd.request()
  t.same(seen.all('Expect'), [])
  t.equal(seen.body.toString(), 'abc')
})

await t.test('HTTP/1.0 is never sent a 100', async (t) => {
  const { port } = await createRig(t, () => OK)
  const answer = await exchange(t, port, 'POST /proxy/web/ HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc')
  t.equal(answer.status, 200)
})
