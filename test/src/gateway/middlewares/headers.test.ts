import t from 'tap'
import { createMiddlewareGateway } from '../../../support/middleware-gateway.ts'
import { exchange } from '../../../support/raw-client.ts'

const say = (head: string, body = 'ok') => () => [{ wait: 'body' as const }, { send: `HTTP/1.1 200 OK\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}` }]
const get = (headers = '', method = 'GET') => `${method} / HTTP/1.1\r\nHost: app.test:8080\r\n${headers}\r\n`

t.test('headers of requests are set and removed', async (t) => {
  const { port, rawd, use } = await createMiddlewareGateway(t)
  use({ headers: { custom_request_headers: { 'X-New': 'v', 'X-Gone': '', 'X-Forwarded-Proto': 'https', Host: 'inner.test:1', 'x-user': 'me' } } })
  await exchange(t, port, get('X-Gone: 1\r\nX-gone: 2\r\nX-User: forged\r\nX_User: forged\r\nX-Keep: 1\r\n'))
  const request = await rawd.request()
  t.same(request.headers.slice(0, 3), [['Host', 'inner.test:1'], ['x-user', 'me'], ['X-Keep', '1']])
  t.same(request.all('x-gone'), [])
  t.same(request.all('x-new'), ['v'])
  t.same(request.all('x-forwarded-proto'), ['https'])
  t.same(request.all('x-forwarded-host'), ['app.test:8080'])
  t.notOk(request.head.includes('forged'))
})

t.test('headers of answers are set and removed, also where the application would take them back', async (t) => {
  const { port, use } = await createMiddlewareGateway(t, say('Server: secret\r\nX-Frame-Options: ALLOWALL\r\nConnection: X-Frame-Options, X-Own\r\nX-Own: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n'))
  use({
    headers: {
      custom_response_headers: { Server: '', 'X-App': 'caf\u00e9' },
      frame_deny: true,
      content_type_nosniff: true,
      browser_xss_filter: true,
      referrer_policy: 'no-referrer',
      permissions_policy: 'camera=()',
      content_security_policy: "default-src 'self'",
      sts_seconds: 60,
      sts_include_subdomains: true,
      sts_preload: true,
      add_vary_header: true
    }
  })
  const answer = await exchange(t, port, get())
  t.same(answer.all('server'), [])
  t.same(answer.all('x-app'), ['caf\u00e9'])
  t.same(answer.all('x-frame-options'), ['DENY'])
  t.same(answer.all('x-own'), [], 'nominated for one hop')
  t.same(answer.all('x-content-type-options'), ['nosniff'])
  t.same(answer.all('x-xss-protection'), ['1; mode=block'])
  t.same(answer.all('referrer-policy'), ['no-referrer'])
  t.same(answer.all('permissions-policy'), ['camera=()'])
  t.same(answer.all('content-security-policy'), ["default-src 'self'"])
  t.same(answer.all('set-cookie'), ['a=1', 'b=2'])
  t.same(answer.all('vary'), ['Origin'])
  t.same(answer.all('strict-transport-security'), [], 'not without TLS')
})

t.test('Strict-Transport-Security over TLS, and without when it is forced', async (t) => {
  const gateway = await createMiddlewareGateway(t)
  gateway.use({ headers: { sts_seconds: 60, sts_include_subdomains: true, sts_preload: true } })
  gateway.scheme = 'https'
  t.equal((await exchange(t, gateway.port, get())).header('strict-transport-security'), 'max-age=60; includeSubDomains; preload')
  gateway.scheme = 'http'
  gateway.use({ headers: { sts_seconds: 60, force_sts_header: true, custom_frame_options_value: 'SAMEORIGIN' } })
  const answer = await exchange(t, gateway.port, get())
  t.equal(answer.header('strict-transport-security'), 'max-age=60')
  t.equal(answer.header('x-frame-options'), 'SAMEORIGIN')
})

t.test('the gateway\'s own answers have them too, in the order of the middlewares', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t)
  use({ headers: { frame_deny: true, custom_response_headers: { 'X-App': 'outer' }, access_control_allow_origin_list: ['https://a.test'] } }, { headers: { custom_response_headers: { 'X-App': 'inner' } } }, { ip_allow_list: { source_range: ['10.0.0.0/8'] } }, { headers: { custom_response_headers: { 'X-Never': '1' } } })
  const answer = await exchange(t, port, get('Origin: https://a.test\r\n'))
  t.equal(answer.status, 403)
  t.equal(answer.json().code, 'address_not_allowed')
  t.same(answer.all('x-frame-options'), ['DENY'])
  t.same(answer.all('x-app'), ['outer'])
  t.same(answer.all('x-never'), [])
  t.same(answer.all('access-control-allow-origin'), ['https://a.test'])
  t.same(answer.all('content-type'), ['application/problem+json; charset=utf-8'])
  t.equal(rawd.requests.length, 0)
})

t.test('what frames a message or cannot be said is refused, and the route with it', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t)
  for (const name of ['Content-Length', 'transfer-encoding', 'CONNECTION', 'Transfer_Encoding', 'TE', 'Upgrade', 'Keep-Alive']) {
    for (const which of ['custom_request_headers', 'custom_response_headers']) {
      const [middleware] = use({ headers: { [which]: { [name]: '1' } } })
      t.match(middleware!.problem, name, `${which}: ${name}`)
      const answer = await exchange(t, port, get())
      t.equal(answer.status, 503)
      t.equal(answer.json().code, 'middleware_broken')
    }
  }
  for (const headers of [{ custom_request_headers: { 'X-A': 'a\r\nX-B: 1' } }, { custom_response_headers: { 'X-A': 'a\0' } }, { custom_response_headers: { 'X A': '1' } }, { custom_response_headers: { 'X-A': '\u4e2d' } }, { custom_response_headers: { Host: 'x' } }, { custom_request_headers: { Host: 'a b' } }, { custom_request_headers: { Host: '' } }, { content_security_policy: 'a\nb' }, { access_control_allow_methods: ['GET\r\nX: 1'] }, { access_control_allow_origin_list_regex: ['('] }]) {
    t.type(use({ headers })[0]!.problem, 'string', JSON.stringify(headers))
  }
  t.equal(rawd.requests.length, 0)
})

const CORS = { access_control_allow_origin_list: ['https://a.test'], access_control_allow_origin_list_regex: ['https://[a-z]+\\.good\\.test'], access_control_allow_methods: ['GET', 'PUT'], access_control_allow_headers: ['X-A'], access_control_max_age: 10, access_control_expose_headers: ['X-Count'], access_control_allow_credentials: true }
const PREFLIGHT = 'Access-Control-Request-Method: PUT\r\n'

t.test('preflight requests are answered here', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t)
  use({ headers: CORS })
  for (const [origin, isAllowed] of [['https://a.test', true], ['https://x.good.test', true], ['https://x.good.test.evil.test', false], ['http://a.test', false], ['null', false]] as const) {
    const answer = await exchange(t, port, get(`Origin: ${origin}\r\n${PREFLIGHT}`, 'OPTIONS'))
    t.equal(answer.status, 204, origin)
    t.equal(answer.header('access-control-allow-origin'), isAllowed ? origin : undefined, origin)
    t.equal(answer.header('access-control-allow-credentials'), isAllowed ? 'true' : undefined)
    t.equal(answer.header('access-control-allow-methods'), isAllowed ? 'GET, PUT' : undefined)
    t.equal(answer.header('access-control-allow-headers'), isAllowed ? 'X-A' : undefined)
    t.equal(answer.header('access-control-max-age'), isAllowed ? '10' : undefined)
    t.equal(answer.header('vary'), 'Origin')
  }
  t.equal(rawd.requests.length, 0)
  await exchange(t, port, get('Origin: https://a.test\r\n', 'OPTIONS'))
  await exchange(t, port, get(PREFLIGHT, 'OPTIONS'))
  t.equal(rawd.requests.length, 2, 'OPTIONS that is no preflight is the application\'s')
})

t.test('answers say who may read them', async (t) => {
  const { port, use } = await createMiddlewareGateway(t, say('Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nVary: Accept, origin\r\n'))
  use({ headers: CORS })
  const own = await exchange(t, port, get('Origin: https://a.test\r\n'))
  t.same(own.all('access-control-allow-origin'), ['https://a.test'])
  t.same(own.all('access-control-expose-headers'), ['X-Count'])
  t.same(own.all('vary'), ['Accept, origin'])
  const foreign = await exchange(t, port, get('Origin: https://evil.test\r\n'))
  t.same(foreign.all('access-control-allow-origin'), [])
  t.same(foreign.all('access-control-allow-credentials'), [])
  use({ headers: { access_control_allow_origin_list: ['*'], access_control_allow_credentials: true } })
  const open = await exchange(t, port, get('Origin: https://evil.test\r\n'))
  t.same(open.all('access-control-allow-origin'), ['*'])
  t.same(open.all('access-control-allow-credentials'), [], 'never for every origin')
})
