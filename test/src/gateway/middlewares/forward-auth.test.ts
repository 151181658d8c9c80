import t from 'tap'
import type { Test } from 'tap'
import { createMiddlewareGateway, upstreamAt } from '../../../support/middleware-gateway.ts'
import { connect, exchange } from '../../../support/raw-client.ts'
import { createRawUpstream } from '../../../support/raw-upstream.ts'
import type { Plan } from '../../../support/raw-upstream.ts'

const PASS: Plan = () => [{ send: 'HTTP/1.1 200 OK\r\nRemote-User: bert\r\nRemote-Groups: a\r\nRemote-Groups: b\r\nX-Other: no\r\nSet-Cookie: session=new; Path=/\r\nSet-Cookie: other=1\r\nContent-Length: 2\r\n\r\nok' }]
const ADDRESS = 'http://auth.internal:9091/verify?x=1'

async function createRig (t: Test, plan: Plan, settings: object = {}) {
  const auth = await createRawUpstream(plan)
  t.after(() => auth.close())
  const asked: string[] = []
  const gateway = await createMiddlewareGateway(t, () => [{ wait: 'body' }, { send: 'HTTP/1.1 200 OK\r\nSet-Cookie: session=old\r\nSet-Cookie: app=1\r\nContent-Length: 2\r\n\r\nok' }], {
    auth: (address) => { asked.push(address.href); return address.hostname === 'auth.internal' ? upstreamAt(auth.port, 'a') : undefined }
  })
  gateway.use({ forward_auth: { address: ADDRESS, ...settings } })
  return { ...gateway, gateway, auth, asked }
}

t.test('who is let pass reaches the application, which hears from the auth server who it is', async (t) => {
  const { port, rawd, auth, asked, ownToken } = await createRig(t, PASS, { auth_response_headers: ['Remote-User', 'Remote-Groups', 'Remote-Email', 'Connection'], add_auth_cookies_to_response: ['session'] })
  const answer = await exchange(t, port, `POST /a%2fb?q=1 HTTP/1.1\r\nHost: app.test:8080\r\nConnection: X-Hop\r\nX-Hop: 1\r\nAuthorization: ${ownToken}\r\nCookie: c=1\r\nRemote-User: admin\r\nRemote_User: admin\r\nremote-email: admin@evil\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Uri: /forged\r\nX-Forwarded-Method: FORGED\r\nContent-Length: 4\r\n\r\nbody`)
  t.equal(answer.status, 200)
  t.same(answer.all('set-cookie'), ['app=1', 'session=new; Path=/'])
  t.same(asked, [ADDRESS])
  const question = await auth.request()
  t.equal(question.line, 'GET /verify?x=1 HTTP/1.1')
  for (const [name, value] of [['host', 'auth.internal:9091'], ['x-forwarded-method', 'POST'], ['x-forwarded-proto', 'http'], ['x-forwarded-host', 'app.test:8080'], ['x-forwarded-uri', '/a%2fb?q=1'], ['x-forwarded-for', '127.0.0.1'], ['cookie', 'c=1']] as const) t.same(question.all(name), [value], name)
  for (const name of ['content-length', 'transfer-encoding', 'x-hop', 'connection', 'authorization']) t.same(question.all(name), [], name)
  const request = await rawd.request()
  t.same(request.all('remote-user'), ['bert'])
  t.same(request.all('remote-groups'), ['a', 'b'])
  for (const name of ['remote_user', 'remote-email', 'x-other', 'connection', 'authorization']) t.same(request.all(name), [], name)
  t.equal(request.body.toString(), 'body')
})

t.test('headers can be chosen by a pattern, and what the client says under such a name is dropped', async (t) => {
  const { port, rawd, auth } = await createRig(t, PASS, { auth_response_headers_regex: '(?i)^remote-', auth_request_headers: ['Cookie'] })
  await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\nCookie: c=1\r\nX-A: 1\r\nRemote-Email: admin\r\nRemote_Name: admin\r\n\r\n')
  const request = await rawd.request()
  t.same(request.headers.filter(([name]) => /^remote/i.test(name)), [['remote-user', 'bert'], ['remote-groups', 'a'], ['remote-groups', 'b']])
  const question = await auth.request()
  t.equal(question.header('cookie'), 'c=1')
  t.equal(question.header('x-a'), undefined)
  t.equal(question.header('x-forwarded-uri'), '/')
})

t.test('any other answer goes to the client as it is', async (t) => {
  const { port, rawd } = await createRig(t, () => [{ send: 'HTTP/1.1 302 Found\r\nLocation: https://login.test/?rd=x\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nlogin\r\n0\r\n\r\n' }, { end: true }])
  const answer = await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
  t.equal(answer.status, 302)
  t.equal(answer.header('location'), 'https://login.test/?rd=x')
  t.same(answer.all('set-cookie'), ['a=1', 'b=2'])
  t.equal(answer.header('content-length'), '5')
  t.equal(answer.body, 'login')
  t.equal((await exchange(t, port, 'HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n')).status, 302)
  const upgrade = await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  t.equal(upgrade.status, 302, 'an upgrade is asked for before any 101')
  t.equal(rawd.requests.length, 0)
})

t.test('a failure of the auth server lets nobody pass', async (t) => {
  const cases: [string, Plan][] = [
    ['garbage', () => [{ send: 'HELLO\r\n\r\n' }]],
    ['reset', () => [{ reset: true }]],
    ['half a head', () => [{ send: 'HTTP/1.1 200 OK\r\nX' }, { end: true }]],
    ['half a body', () => [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab' }, { end: true }]],
    ['too much', () => [{ send: `HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}` }]],
    ['an unasked switch', () => [{ send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n' }]]
  ]
  for (const [name, plan] of cases) {
    const { port, rawd } = await createRig(t, plan, { max_response_body_size: 1000 })
    const answer = await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    t.equal(answer.status, 502, name)
    t.equal(answer.json().code, 'auth_server_failed', name)
    t.equal(rawd.requests.length, 0, name)
  }
})

t.test('only what the gateway allows is dialled', async (t) => {
  const { gateway, port, rawd, auth, asked } = await createRig(t, PASS)
  for (const address of ['http://169.254.169.254/latest', 'http://127.0.0.1:1/', `http://127.0.0.1:${auth.port}/`]) {
    gateway.use({ forward_auth: { address } })
    const answer = await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    t.equal(answer.status, 502, address)
    t.equal(answer.json().code, 'auth_server_failed')
  }
  t.equal(asked.length, 3)
  t.equal(auth.connections.length, 0)
  t.equal(rawd.requests.length, 0)
  for (const address of ['ftp://a/', 'http://user:pw@a/', 'nonsense', 'file:///etc/passwd']) {
    const [middleware] = gateway.use({ forward_auth: { address } })
    t.match(middleware!.problem, 'address', address)
    t.equal((await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')).status, 503)
  }
})

t.test('a client that leaves ends the question', async (t) => {
  const { port, rawd, auth, gateway } = await createRig(t, () => [{ until: new Promise(() => {}) }])
  const client = await connect(t, port)
  await client.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
  const question = await auth.request()
  client.reset()
  await question.peer.closed
  t.equal(question.peer.ended, 'reset')
  t.equal(rawd.requests.length, 0)
  t.same(gateway.refusals.filter(({ code }) => code !== 'client_gone'), [])
})

t.test('a kept connection that the auth server closed is no failure', async (t) => {
  const { port, auth } = await createRig(t, (_request, index) => index === 1 ? [{ reset: true }] : PASS(_request, index))
  for (let round = 0; round < 2; round++) t.equal((await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')).status, 200)
  t.equal(auth.requests.length, 3)
})

t.test('each request is asked about', async (t) => {
  let isAllowed = true
  const { port, auth } = await createRig(t, (request, index) => isAllowed ? PASS(request, index) : [{ send: 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n' }])
  t.equal((await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')).status, 200)
  isAllowed = false
  const answer = await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
  t.equal(answer.status, 401)
  t.equal(answer.header('www-authenticate'), 'Bearer')
  t.equal(auth.connections.length, 1, 'over one connection')
})

t.test('an auth server that takes too long lets nobody pass, wherever it hangs', async (t) => {
  const slow = await createRawUpstream(() => [{ until: new Promise(() => {}) }])
  t.after(() => slow.close())
  for (const auth of [() => upstreamAt(slow.port), () => new Promise<never>(() => {})]) {
    const { port, use, rawd } = await createMiddlewareGateway(t, undefined, { auth, timeoutMs: 50 })
    use({ forward_auth: { address: ADDRESS } })
    const answer = await exchange(t, port, 'GET / HTTP/1.1\r\nHost: app.test\r\n\r\n')
    t.equal(answer.status, 504)
    t.equal(answer.json().code, 'auth_server_timeout')
    t.equal(rawd.requests.length, 0)
  }
  await slow.connections[0]!.closed
})
