import t from 'tap'
import type { Middleware as Definition } from '../../../../schemas/middlewares.ts'
import { createMiddlewareGateway } from '../../../support/middleware-gateway.ts'
import { exchange } from '../../../support/raw-client.ts'

/** Definition, target as asked, target as the application sees it (a status for a refusal), and headers that it is told. */
type Case = [definition: Definition[], asked: string, seen: string | number, told?: Record<string, string | undefined>]

const CASES: Case[] = [
  [[{ strip_prefix: { prefixes: ['/api'] } }], '/api/users?x=/api', '/users?x=/api', { 'x-forwarded-prefix': '/api' }],
  [[{ strip_prefix: { prefixes: ['/api'] } }], '/api', '/', { 'x-forwarded-prefix': '/api' }],
  [[{ strip_prefix: { prefixes: ['/api'] } }], '/api?q', '/?q'],
  [[{ strip_prefix: { prefixes: ['/api/'] } }], '/api/x', '/x', { 'x-forwarded-prefix': '/api' }],
  [[{ strip_prefix: { prefixes: ['/no', '/a', '/a/b'] } }], '/a/b', '/b', { 'x-forwarded-prefix': '/a' }],
  [[{ strip_prefix: { prefixes: ['/api'] } }], '/other', '/other', { 'x-forwarded-prefix': undefined }],
  [[{ strip_prefix: { prefixes: ['/api'] } }], '/%61pi/x', '/%61pi/x'],
  [[{ strip_prefix: { prefixes: ['/api'] } }], '/api/a%2Fb/%7e;v=1//c', '/a%2Fb/%7e;v=1//c'],
  [[{ strip_prefix: { prefixes: ['/caf\u00e9 x'] } }], '/caf%C3%A9%20x/y', '/y'],
  [[{ strip_prefix: { prefixes: ['/api'] } }], '/api../secret', 400],
  [[{ strip_prefix: { prefixes: ['/api'] } }], '/api//evil.test/', 400],
  [[{ strip_prefix: { prefixes: ['/a'] } }, { strip_prefix: { prefixes: ['/b'] } }], '/a/b/c', '/c', { 'x-forwarded-prefix': '/a/b' }],
  [[{ strip_prefix: { prefixes: ['/'] } }], '/x', '/x', { 'x-forwarded-prefix': undefined }],
  [[{ strip_prefix_regex: { regex: ['/v[0-9]+', '/never'] } }], '/v12/x?/v3', '/x?/v3', { 'x-forwarded-prefix': '/v12' }],
  [[{ strip_prefix_regex: { regex: ['/v[0-9]+'] } }], '/x/v1', '/x/v1'],
  [[{ strip_prefix_regex: { regex: ['(a|a?)*'] } }], `/${'a'.repeat(5000)}`, `/${'a'.repeat(5000)}`],
  [[{ add_prefix: { prefix: '/app' } }], '/x?y', '/app/x?y'],
  [[{ add_prefix: { prefix: '/app/' } }], '/', '/app/'],
  [[{ add_prefix: { prefix: '/a b?c#d\r\nX: y' } }], '/', '/a%20b%3Fc%23d%0D%0AX:%20y/'],
  [[{ add_prefix: { prefix: '/app/..' } }], '/', 400],
  [[{ strip_prefix: { prefixes: ['/old'] } }, { add_prefix: { prefix: '/new' } }], '/old/x', '/new/x'],
  [[{ replace_path: { path: '/fixed' } }], '/a%2fb?q=1', '/fixed?q=1', { 'x-replaced-path': '/a%2fb' }],
  [[{ replace_path: { path: '/f i?x' } }], '/', '/f%20i%3Fx'],
  [[{ replace_path_regex: { regex: '^/api/(.*)', replacement: '/v2/$1' } }], '/api/a%20b?q', '/v2/a%20b?q', { 'x-replaced-path': '/api/a%20b' }],
  // eslint-disable-next-line no-template-curly-in-string
  [[{ replace_path_regex: { regex: '^/(?P<first>[^/]+)/([^/]+)$', replacement: '/${2}x/$first$$' } }], '/a/b', '/bx/a$'],
  [[{ replace_path_regex: { regex: 'a', replacement: 'bb' } }], '/aXa', '/bbXbb'],
  [[{ replace_path_regex: { regex: '^/no', replacement: '/x' } }], '/yes', '/yes', { 'x-replaced-path': undefined }],
  [[{ replace_path_regex: { regex: '^/(.*)$', replacement: '$1' } }], '/x', '/x'],
  [[{ replace_path_regex: { regex: '^/p/(.*)$', replacement: '/$1' } }], '/p//evil', 400],
  [[{ replace_path_regex: { regex: '^/(.*)$', replacement: '/$1\r\nX-Bad: 1' } }], '/x', '/x%0D%0AX-Bad:%201']
]

t.test('paths are rewritten byte for byte, and nothing that is no path gets out', async (t) => {
  const { port, rawd, use } = await createMiddlewareGateway(t)
  for (const [definitions, asked, seen, told = {}] of CASES) {
    const name = `${JSON.stringify(definitions)} ${asked.slice(0, 40)}`
    use(...definitions)
    rawd.clear()
    const answer = await exchange(t, port, `GET ${asked} HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-Prefix: /forged\r\nX_Forwarded_Prefix: /forged\r\n\r\n`)
    if (typeof seen === 'number') {
      t.equal(answer.status, seen, name)
      t.equal(rawd.requests.length, 0, 'nothing was sent')
      continue
    }
    t.equal(answer.status, 200, name)
    const [request] = rawd.requests
    t.equal(request!.line, `GET ${seen} HTTP/1.1`, name)
    for (const [header, value] of Object.entries(told)) t.same(request!.all(header), value === undefined ? [] : [value], `${name}: ${header}`)
    t.notOk(request!.head.includes('forged'))
    t.notOk(request!.header('x-bad'))
  }
})

t.test('an upgrade is rewritten as every request', async (t) => {
  const { port, rawd, use } = await createMiddlewareGateway(t, () => [{ send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhello' }, { end: true }])
  use({ strip_prefix: { prefixes: ['/ws'] } }, { compress: {} }, { headers: { custom_response_headers: { 'X-Set': '1' } } })
  const answer = await exchange(t, port, 'GET /ws/room HTTP/1.1\r\nHost: app.test\r\nAccept-Encoding: gzip\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n')
  t.equal(answer.status, 101)
  t.equal((await rawd.request()).line, 'GET /room HTTP/1.1')
  t.equal(answer.header('content-encoding'), undefined)
})
