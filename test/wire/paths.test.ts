import t from 'tap'
import { createProxyApp, createRig } from '../support/proxy-app.ts'
import { createRawUpstream } from '../support/raw-upstream.ts'
import { exchange } from '../support/raw-client.ts'

function get (target: string): string {
  return `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`
}

await t.test('path and query arrive byte for byte', async (t) => {
  const { port, rawd } = await createRig(t)
  const targets = ['/', '/a//b', '/a%2Fb', '/a%2fb/', '/a;p=1', '/a%20b', '/a%3Fb', '/%E2%9C%93', '/a|b', '/a...', '/..foo', '/.../x', '/a/./b', '/.well-known/x',
    '/?a=%zz&b=%2F', '/?x=1?y=2', '/?', '/a?../../b', '/a?u=http://x//y', '/%252e%252e/x', '/%c0%ae%c0%ae/', '/.%09./', '/a#b', '/%', '/%1', '/%zz', '/%ff', '/%00',
    '/a:b', '/http:/x', '/x/http://y/', '/*', '/proxy/other/', '/@scope%2Fname', `/${'long/'.repeat(1000)}`]
  for (const target of targets) t.equal((await exchange(t, port, get(`/proxy/web${target}`))).status, 200, target)
  t.same(rawd.requests.map(({ path }) => path), targets)
})

await t.test('paths that could leave the container are refused, naming what is wrong', async (t) => {
  const { port, rawd } = await createRig(t)
  const wrong = new Map([
    ['/../B/x', '".." segment'], ['/..', '".." segment'], ['/a/..', '".." segment'], ['/%2e%2e/B', '".." segment'], ['/..%2fB', '".." segment'],
    ['/%2e%2e%2fB', '".." segment'], ['/..%5cB', '".." segment'], ['/.%2E/', '".." segment'], ['/;/../', '".." segment'], ['/a%2F..%2Fb', '".." segment'],
    ['/..\\B', 'backslash'], ['/a\\b', 'backslash'],
    ['//evil/', 'two slashes'], ['/%2Fevil/', 'two slashes'],
    ['/http://evil/', 'scheme'], ['/HTTPS://evil/', 'scheme'], ['/ws://evil', 'scheme']
  ])
  for (const [target, what] of wrong) {
    const answer = await exchange(t, port, get(`/proxy/web${target}`))
    t.equal(answer.status, 400, target)
    t.equal(answer.header('content-type'), 'application/problem+json; charset=utf-8')
    t.equal(answer.json().code, 'invalid_request')
    t.match(answer.json().detail, what, target)
    t.equal(answer.json().instance, `/proxy/web${target}`)
  }
  t.equal(rawd.connections.length, 0)
})

await t.test('odd spellings of the route reach no container', async (t) => {
  const { port, rawd } = await createRig(t)
  const targets = ['/proxyX', '/proxy/we/', '/proxy/web2/', '/PROXY/web/', '//proxy/web//x', '/%70roxy/web/', '/proxy//web/', '/proxy/%77eb/', '/proxy/../proxy/web/',
    '/proxy/web:80@evil/', '/proxy/web@169.254.169.254/', '/proxy/localhost/', '/proxy/127.0.0.1:2375/', '/proxy/%2e/', '/proxy/web:/', '/proxy/web:0/', '/proxy/web:99999/',
    '/proxy/web:080/', '/proxy/web%2f..%2f/', '/proxy/<script>/', `/proxy/${'a'.repeat(300)}/`, '/proxy/', '/proxy', '/proxy/web;x/', '/proxy/__proto__/', '/proxy/constructor/']
  for (const target of targets) {
    const { status } = await exchange(t, port, get(target))
    t.ok(status >= 400 && status < 500, `${target}: ${status}`)
  }
  t.equal(rawd.connections.length, 0)
})

await t.test('bytes that no request target may have give 400', async (t) => {
  const { port, rawd } = await createRig(t)
  for (const byte of ['\0', '\x01', '\t', '\x0b', '\x1f', '\x7f']) {
    const { status } = await exchange(t, port, get(`/proxy/web/a${byte}b`))
    t.equal(status, 400, JSON.stringify(byte))
  }
  t.equal(rawd.connections.length, 0)
})

await t.test('a port in the route reaches another port of the container', async (t) => {
  const { port, rawd, add } = await createRig(t)
  const other = await createRawUpstream()
  t.after(() => other.close())
  add('web:9000', { port: other.port })
  t.equal((await exchange(t, port, get('/proxy/web:9000/x'))).status, 200)
  t.equal((await other.request()).path, '/x')
  t.equal((await other.request()).header('x-forwarded-prefix'), '/proxy/web:9000')
  t.equal(rawd.requests.length, 0)
})

await t.test('upstreams whose addresses run together are told apart', async (t) => {
  const proxied = await createProxyApp(t)
  const one = await createRawUpstream()
  const two = await createRawUpstream()
  t.after(async () => { await one.close(); await two.close() })
  proxied.add('a', { port: one.port })
  proxied.add('b', { port: two.port })
  for (let round = 0; round < 3; round++) {
    await exchange(t, proxied.port, get('/proxy/a/1/private'))
    await exchange(t, proxied.port, get('/proxy/b/private'))
  }
  t.same(new Set(one.requests.map(({ path }) => path)), new Set(['/1/private']))
  t.same(new Set(two.requests.map(({ path }) => path)), new Set(['/private']))
})

await t.test('a container that got the address of another one gets none of its connections', async (t) => {
  const { port, rawd, add } = await createRig(t)
  add('next', { port: rawd.port })
  await exchange(t, port, get('/proxy/web/'))
  await exchange(t, port, get('/proxy/next/'))
  t.same(rawd.requests.map(({ connection }) => connection), [0, 1])
})
