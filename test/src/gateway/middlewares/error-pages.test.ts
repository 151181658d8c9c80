import t from 'tap'
import type { Test } from 'tap'
import { createMiddlewareGateway, upstreamAt } from '../../../support/middleware-gateway.ts'
import { connect, exchange } from '../../../support/raw-client.ts'
import { createRawUpstream } from '../../../support/raw-upstream.ts'
import type { Plan } from '../../../support/raw-upstream.ts'

const GET = 'GET /x?y=1&z HTTP/1.1\r\nHost: app.test\r\nAccept: text/html\r\nCookie: secret=1\r\n\r\n'
const page = (status = 200): Plan => () => [{ send: `HTTP/1.1 ${status} OK\r\nContent-Type: text/html\r\nX-Page: 1\r\nContent-Length: 4\r\n\r\npage` }]
const say = (text: string): Plan => () => [{ wait: 'body' }, { send: text }]

async function createRig (t: Test, plan: Plan, pages: Plan = page()) {
  const pagesServer = await createRawUpstream(pages)
  t.after(() => pagesServer.close())
  const gateway = await createMiddlewareGateway(t, plan, { services: { pages: upstreamAt(pagesServer.port, 'p') } })
  gateway.use({ errors: { status: ['404', '500-599'], service: 'pages', query: '/{status}.html?from={url}' } })
  return { ...gateway, gateway, pagesServer }
}

t.test('a failure is shown as a page of the other service, under its own status', async (t) => {
  const { port, pagesServer, rawd } = await createRig(t, say('HTTP/1.1 503 Busy\r\nRetry-After: 5\r\nContent-Encoding: gzip\r\nX-App: 1\r\nContent-Length: 6\r\n\r\nsecret'))
  const answer = await exchange(t, port, GET)
  t.equal(answer.status, 503)
  t.equal(answer.reason, 'Service Unavailable')
  t.equal(answer.body, 'page')
  t.same(answer.all('content-type'), ['text/html'])
  t.same(answer.all('content-length'), ['4'])
  t.same(answer.all('retry-after'), ['5'])
  t.same(answer.all('via'), ['1.1 dockapi'])
  for (const name of ['x-app', 'content-encoding']) t.same(answer.all(name), [], name)
  const asked = await pagesServer.request()
  t.equal(asked.line, `GET /503.html?from=${encodeURIComponent('http://app.test/x?y=1&z')} HTTP/1.1`)
  t.equal(asked.header('accept'), 'text/html')
  t.equal(asked.header('cookie'), undefined)
  rawd.plan = say('HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
  const chunked = await exchange(t, port, GET)
  t.equal(chunked.status, 404)
  t.equal(chunked.body, 'page')
})

t.test('other answers are not touched', async (t) => {
  const { port, pagesServer, rawd } = await createRig(t, say('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno'))
  t.equal((await exchange(t, port, GET)).body, 'no')
  rawd.plan = say('HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n')
  t.equal((await exchange(t, port, GET.replace('GET', 'HEAD'))).status, 500)
  t.equal(pagesServer.requests.length, 0)
})

t.test('without a page the original answer comes through whole', async (t) => {
  const body = 'x'.repeat(300_000)
  const plans: [string, Plan][] = [['fails itself', page(500)], ['is reset', () => [{ reset: true }]], ['speaks nonsense', say('NO\r\n\r\n')], ['has no such page', page(404)]]
  for (const [name, pages] of plans) {
    const { port } = await createRig(t, () => [{ send: `HTTP/1.1 502 Own\r\nX-App: 1\r\nTransfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\nX-T: 1\r\n\r\n` }], pages)
    const answer = await exchange(t, port, GET)
    t.equal(answer.status, 502, name)
    t.equal(answer.reason, 'Own')
    t.equal(answer.header('x-app'), '1')
    t.equal(answer.body.length, body.length)
    t.match(answer.trailers, 'X-T: 1')
  }
  const { port, gateway } = await createRig(t, say('HTTP/1.1 500 Own\r\nContent-Length: 3\r\n\r\nown'))
  gateway.use({ errors: { status: ['500'], service: 'gone' } })
  t.equal((await exchange(t, port, GET)).body, 'own')
})

t.test('failures of the gateway itself have the page too', async (t) => {
  const { port, gateway, rawd } = await createRig(t, () => [{ reset: true }])
  const failed = await exchange(t, port, GET)
  t.equal(failed.status, 502)
  t.equal(failed.body, 'page')
  t.equal(failed.header('content-type'), 'text/html')
  rawd.clear()
  gateway.use({ errors: { status: ['401,403'], service: 'pages' } }, { headers: { frame_deny: true } }, { basic_auth: { users: ['sam:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ='] } })
  const refused = await exchange(t, port, GET)
  t.equal(refused.status, 401)
  t.equal(refused.body, 'page')
  t.match(refused.header('www-authenticate'), 'Basic realm')
  t.equal(rawd.requests.length, 0)
})

t.test('a client that leaves ends the wait for the page', async (t) => {
  const { port, pagesServer, rawd } = await createRig(t, say('HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n'), () => [{ until: new Promise(() => {}) }])
  const client = await connect(t, port)
  await client.send(GET)
  const asked = await pagesServer.request()
  client.reset()
  await asked.peer.closed
  await rawd.connections[0]!.closed
  t.equal(asked.peer.ended, 'reset')
})

t.test('statuses that are none are told', async (t) => {
  const gateway = await createMiddlewareGateway(t)
  for (const status of ['', '40', '600', '500-400', 'x', '4xx', '400-']) t.match(gateway.use({ errors: { status: [status], service: 'pages' } })[0]!.problem, 'status', status)
})

t.test('a page that takes too long is not waited for', async (t) => {
  const slow = await createRawUpstream(() => [{ until: new Promise(() => {}) }])
  t.after(() => slow.close())
  const { port, use } = await createMiddlewareGateway(t, say('HTTP/1.1 500 Own\r\nContent-Length: 3\r\n\r\nown'), { services: { pages: upstreamAt(slow.port) }, timeoutMs: 50 })
  use({ errors: { status: ['500'], service: 'pages' } })
  t.equal((await exchange(t, port, GET)).body, 'own')
  await slow.connections[0]!.closed
})
