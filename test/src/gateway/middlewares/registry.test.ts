import t from 'tap'
import { createMiddlewareRegistry } from '../../../../src/gateway/middlewares/registry.ts'
import { createMiddlewareGateway } from '../../../support/middleware-gateway.ts'
import { connect } from '../../../support/raw-client.ts'

t.test('a name and a definition have one middleware as long as they are in use', async (t) => {
  const registry = createMiddlewareRegistry({ resolveAuth: async () => undefined, resolveService: async () => undefined, principalOf: () => undefined, statusOf: () => 500 })
  t.after(() => registry.close())
  const definition = { rate_limit: { average: 1 } }
  const first = registry.get('a', definition)
  t.equal(registry.get('a', structuredClone(definition)), first)
  t.not(registry.get('b', definition), first, 'another name')
  t.not(registry.get('a', { rate_limit: { average: 2 } }), first, 'another definition')
  registry.sweep()
  t.equal(registry.get('a', definition), first, 'asked for since the last sweep')
  registry.sweep()
  t.equal(registry.get('a', definition), first)
  registry.sweep()
  registry.sweep()
  t.not(registry.get('a', definition), first, 'forgotten')
})

t.test('a definition that means nothing lets nobody pass', async (t) => {
  const registry = createMiddlewareRegistry({ resolveAuth: async () => undefined, resolveService: async () => undefined, principalOf: () => undefined, statusOf: () => 500 })
  t.after(() => registry.close())
  for (const definition of [{}, { chain: { middlewares: ['a'] } }, { strip_prefix_regex: { regex: ['('] } }, { redirect_regex: { regex: '(?<=a)b', replacement: 'x' } }, { errors: { status: ['x'], service: 's' } }]) {
    const { problem, pass } = registry.get('broken', definition)
    t.match(problem, 'broken', JSON.stringify(definition))
    t.throws(() => pass({} as Parameters<typeof pass>[0]), { code: 'middleware_broken' })
  }
})

t.test('without a middleware that changes something not one byte differs', async (t) => {
  const { port, rawd, use } = await createMiddlewareGateway(t, () => [{ wait: 'body' }, { send: 'HTTP/1.1 207 Any Reason\r\nx-B: 1\r\nX-b: 2\r\nSet-Cookie: a=1\r\nConnection: X-Hop\r\nX-Hop: 1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n0\r\nX-T: 1\r\n\r\n' }])
  const ask = 'PUT /a%2fB//;c?d=%00 HTTP/1.1\r\nhOst: app.test\r\nX-B: 1\r\nx-b: 2\r\nCookie: a=1\r\nCookie: b=2\r\nAccept-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'
  const seen: string[] = []
  for (const definitions of [[], [{ retry: { attempts: 2 } }, { content_type: {} }, { rate_limit: { average: 0 } }, { ip_allow_list: { source_range: ['127.0.0.1'] } }, { headers: {} }, { strip_prefix: { prefixes: ['/no'] } }]]) {
    use(...definitions)
    rawd.clear()
    const client = await connect(t, port)
    await client.send(ask)
    const answer = await client.until((text) => text.endsWith('X-T: 1\r\n\r\n'))
    const [request] = rawd.requests
    seen.push(`${request!.head}${request!.body.toString('latin1')}|${answer.replace(/\r\nDate: [^\r]+/, '')}`)
  }
  t.equal(seen[0], 'PUT /a%2fB//;c?d=%00 HTTP/1.1\r\nHost: app.test\r\nX-B: 1\r\nx-b: 2\r\nCookie: a=1; b=2\r\nAccept-Encoding: gzip\r\n' +
    'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: app.test\r\nForwarded: for=127.0.0.1;host="app.test";proto=http\r\nVia: 1.1 dockapi\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n|' +
    'HTTP/1.1 207 Any Reason\r\nx-B: 1\r\nX-b: 2\r\nSet-Cookie: a=1\r\nVia: 1.1 dockapi\r\nConnection: keep-alive\r\nKeep-Alive: timeout=72\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n')
  t.equal(seen[1], seen[0])
})

t.test('requests sent ahead are answered in order, whoever answers them', async (t) => {
  const { port, use } = await createMiddlewareGateway(t)
  use({ ip_allow_list: { source_range: ['127.0.0.1'] } }, { redirect_regex: { regex: '^http://app.test/old', replacement: '/new' } }, { headers: { custom_response_headers: { 'X-A': '1' } } })
  const client = await connect(t, port)
  await client.send(['/old', '/x', '/old', '/y'].map((path) => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`).join(''))
  const statuses: number[] = []
  for (let index = 0; index < 4; index++) statuses.push((await client.answer()).status)
  t.same(statuses, [302, 200, 302, 200])
})
