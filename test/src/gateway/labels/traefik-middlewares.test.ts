import { Value } from '@sinclair/typebox/value'
import t from 'tap'
import { MiddlewareSchema } from '../../../../schemas/middlewares.ts'
import { MIDDLEWARE_TABLES, UNSUPPORTED_MIDDLEWARES } from '../../../../src/gateway/labels/middleware-options.ts'
import { readDeclarations } from '../../../../src/gateway/labels/read.ts'

/** Labels below `traefik.http.middlewares.m.`; `undefined` is a middleware that closes its routes. */
type Row = readonly [labels: Record<string, string>, middleware: object | undefined, problems: number]

const rows: Readonly<Record<string, readonly Row[]>> = {
  stripprefix: [
    [{ 'stripprefix.prefixes': '/a, /b' }, { strip_prefix: { prefixes: ['/a', '/b'] } }, 0],
    [{ 'StripPrefix.Prefixes': '/a' }, { strip_prefix: { prefixes: ['/a'] } }, 0],
    [{ 'stripprefix.prefixes': 'a' }, undefined, 2],
    [{ 'stripprefix.prefix': '/a' }, undefined, 2],
    [{ stripprefix: 'true' }, undefined, 1]
  ],
  stripprefixregex: [
    [{ 'stripprefixregex.regex': '^/v[0-9]+' }, { strip_prefix_regex: { regex: ['^/v[0-9]+'] } }, 0],
    [{ 'stripprefixregex.regex': '(?=x)' }, undefined, 1],
    [{ 'stripprefixregex.regex': '^/a,(a)\\1' }, undefined, 1],
    [{ 'stripprefixregex.regex': 'x'.repeat(1025) }, undefined, 2]
  ],
  addprefix: [[{ 'addprefix.prefix': '/a' }, { add_prefix: { prefix: '/a' } }, 0]],
  replacepath: [[{ 'replacepath.path': '/a' }, { replace_path: { path: '/a' } }, 0]],
  replacepathregex: [
    [{ 'replacepathregex.regex': '^/a(.*)', 'replacepathregex.replacement': '/b$1' }, { replace_path_regex: { regex: '^/a(.*)', replacement: '/b$1' } }, 0],
    [{ 'replacepathregex.regex': '^/a', 'replacepathregex.replacement': '' }, { replace_path_regex: { regex: '^/a', replacement: '' } }, 0],
    [{ 'replacepathregex.regex': '^/a' }, undefined, 1]
  ],
  redirectscheme: [
    [{ 'redirectscheme.scheme': 'https', 'redirectscheme.permanent': 'true', 'redirectscheme.port': '8443' }, { redirect_scheme: { scheme: 'https', permanent: true, port: 8443 } }, 0],
    [{ 'redirectscheme.scheme': 'https', 'redirectscheme.port': '70000' }, { redirect_scheme: { scheme: 'https' } }, 1],
    [{ 'redirectscheme.scheme': 'gopher' }, undefined, 2]
  ],
  redirectregex: [[{ 'redirectregex.regex': '^http://a/(.*)', 'redirectregex.replacement': 'https://b/$1' }, { redirect_regex: { regex: '^http://a/(.*)', replacement: 'https://b/$1' } }, 0]],
  headers: [
    [{ 'headers.customrequestheaders.X-Foo': 'bar', 'headers.customrequestheaders.X-Gone': '' }, { headers: { custom_request_headers: { 'X-Foo': 'bar', 'X-Gone': '' } } }, 0],
    [{ 'headers.customresponseheaders.X.Dotted': 'a' }, { headers: { custom_response_headers: { 'X.Dotted': 'a' } } }, 0],
    [{ 'headers.customresponseheaders.bad name': 'a', 'headers.framedeny': 'true' }, { headers: { frame_deny: true } }, 1],
    [{ 'headers.customresponseheaders.X-A': 'a\r\nSet-Cookie: x', 'headers.framedeny': 'true' }, { headers: { frame_deny: true } }, 1],
    [{ 'headers.customresponseheaders': 'a', 'headers.framedeny': 'true' }, { headers: { frame_deny: true } }, 1],
    [{ 'headers.contentsecuritypolicyreportonly': "default-src 'self'", 'headers.custombrowserxssvalue': '0' }, { headers: { custom_response_headers: { 'Content-Security-Policy-Report-Only': "default-src 'self'", 'X-XSS-Protection': '0' } } }, 0],
    [{ 'headers.sslredirect': 'true', 'headers.stsseconds': '3600' }, { headers: { sts_seconds: 3600 } }, 1],
    [{ 'headers.allowedhosts': 'a.test', 'headers.stsseconds': '3600' }, undefined, 1],
    [{ 'headers.framdeny': 'true', 'headers.stspreload': 'maybe' }, { headers: {} }, 2]
  ],
  basicauth: [
    [{ 'basicauth.users': 'a:$apr1$x$y,b:$2y$05$z', 'basicauth.realm': 'Inside', 'basicauth.removeheader': 'true', 'basicauth.headerfield': 'X-User' }, { basic_auth: { users: ['a:$apr1$x$y', 'b:$2y$05$z'], realm: 'Inside', remove_header: true, header_field: 'X-User' } }, 0],
    [{ 'basicauth.users': 'a:$$apr1$$x$$y' }, undefined, 2],
    [{ 'basicauth.users': 'a:$apr1$x$y,b' }, undefined, 2],
    [{ 'basicauth.users': '' }, undefined, 2],
    [{ 'basicauth.usersfile': '/users' }, undefined, 2]
  ],
  forwardauth: [
    [{ 'forwardauth.address': 'http://auth:9091/verify', 'forwardauth.authresponseheaders': 'Remote-User, Remote-Groups', 'forwardauth.maxresponsebodysize': '-1' }, { forward_auth: { address: 'http://auth:9091/verify', auth_response_headers: ['Remote-User', 'Remote-Groups'] } }, 0],
    [{ 'forwardauth.address': 'https://auth/verify', 'forwardauth.tls.insecureskipverify': 'true' }, { forward_auth: { address: 'https://auth/verify' } }, 1],
    [{ 'forwardauth.adress': 'http://auth/' }, undefined, 2],
    [{ 'forwardauth.address': 'auth:9091' }, undefined, 2]
  ],
  token: [
    [{ token: 'true' }, { token: {} }, 0],
    [{ token: 'false' }, undefined, 1],
    [{ 'token.scope': 'read', token: 'true' }, { token: {} }, 1]
  ],
  ipallowlist: [
    [{ 'ipallowlist.sourcerange': '127.0.0.1/32, 10.0.0.0/8', 'ipallowlist.rejectstatuscode': '404' }, { ip_allow_list: { source_range: ['127.0.0.1/32', '10.0.0.0/8'], reject_status_code: 404 } }, 0],
    [{ 'ipallowlist.sourcerange': '10.0.0.0/8,everybody' }, undefined, 2],
    [{ 'ipallowlist.sourcerange': '10.0.0.0/8', 'ipallowlist.ipstrategy.depth': '1' }, undefined, 1],
    [{ 'ipallowlist.sourcerange': '10.0.0.0/8', 'ipallowlist.ipstrategy': 'true' }, { ip_allow_list: { source_range: ['10.0.0.0/8'] } }, 0]
  ],
  ipwhitelist: [[{ 'ipwhitelist.sourcerange': '10.0.0.1' }, { ip_allow_list: { source_range: ['10.0.0.1'] } }, 0]],
  ratelimit: [
    [{ 'ratelimit.average': '5', 'ratelimit.period': '1m', 'ratelimit.burst': '10', 'ratelimit.sourcecriterion.requestheadername': 'X-Key' }, { rate_limit: { average: 5, period: 60, burst: 10, source_header: 'X-Key' } }, 0],
    [{ 'ratelimit.average': '5', 'ratelimit.sourcecriterion.ipstrategy.depth': '2', 'ratelimit.redis.endpoints': 'r:6379' }, { rate_limit: { average: 5 } }, 2],
    [{ 'ratelimit.burst': '5' }, undefined, 1]
  ],
  inflightreq: [[{ 'inflightreq.amount': '5', 'inflightreq.sourcecriterion.requesthost': 'true' }, { in_flight_req: { amount: 5, source_host: true } }, 0]],
  compress: [
    [{ compress: 'true' }, { compress: {} }, 0],
    [{ 'compress.encodings': 'br,gzip', 'compress.minresponsebodybytes': '2k', 'compress.excludedcontenttypes': 'image/png' }, { compress: { encodings: ['br', 'gzip'], min_response_body_bytes: 2048, excluded_content_types: ['image/png'] } }, 0],
    [{ 'compress.encodings': 'gzip,gzip' }, undefined, 1],
    [{ compress: 'false' }, undefined, 1]
  ],
  buffering: [
    [{ 'buffering.maxrequestbodybytes': '10m', 'buffering.memrequestbodybytes': '1000' }, { buffering: { max_request_body_bytes: 10_485_760, mem_request_body_bytes: 1000 } }, 0],
    [{ 'buffering.maxrequestbodybytes': '0' }, { buffering: {} }, 0]
  ],
  errors: [
    [{ 'errors.status': '404,500-599', 'errors.service': 'pages@docker', 'errors.query': '/{status}.html' }, { errors: { status: ['404', '500-599'], service: 'pages@docker', query: '/{status}.html' } }, 0],
    [{ 'errors.status': '4xx', 'errors.service': 'pages' }, undefined, 2]
  ],
  retry: [[{ 'retry.attempts': '3', 'retry.initialinterval': '100ms' }, { retry: { attempts: 3, initial_interval: 0.1 } }, 0]],
  contenttype: [[{ 'contenttype.autodetect': 'false' }, { content_type: { auto_detect: false } }, 0]],
  chain: [
    [{ 'chain.middlewares': 'a, b@file' }, { chain: { middlewares: ['a', 'b@file'] } }, 0],
    [{ 'chain.middlewares': 'a, b c' }, undefined, 2]
  ],
  'more than one, or none': [
    [{ 'addprefix.prefix': '/a', 'stripprefix.prefixes': '/b' }, undefined, 1],
    [{ 'bacisauth.users': 'a:b' }, undefined, 1],
    [{ 'constructor.users': 'a:b' }, undefined, 1],
    [{ 'plugin.x.y': 'z' }, undefined, 1]
  ]
}

for (const [name, cases] of Object.entries(rows)) {
  await t.test(name, async (t) => {
    for (const [labels, expected, problems] of cases) {
      const entries = Object.entries(labels).map(([label, value]) => [`traefik.http.middlewares.m.${label}`, value])
      const declarations = readDeclarations({ name: 'box', labels: Object.fromEntries(entries) })
      const [declared] = declarations.middlewares
      const about = JSON.stringify(labels)
      t.same(declared?.middleware, expected, about)
      t.equal(declarations.problems.length, problems, `${about}: ${JSON.stringify(declarations.problems)}`)
      if (declared?.middleware === undefined) t.ok(declared === undefined || ('problem' in declared && declared.problem !== ''), 'why it cannot be built')
      else t.ok(Value.Check(MiddlewareSchema, declared.middleware), 'fits the schema')
    }
  })
}

await t.test('every middleware that is known is in these rows, and each is one of the schema', async (t) => {
  t.same([...MIDDLEWARE_TABLES.keys()].sort(), Object.keys(rows).filter((name) => !name.includes(' ')).sort())
  t.same([...new Set([...MIDDLEWARE_TABLES.values()].map(({ kind }) => kind))].sort(), Object.keys(MiddlewareSchema.properties).sort())
  for (const kind of Object.keys(UNSUPPORTED_MIDDLEWARES)) t.notOk(MIDDLEWARE_TABLES.has(kind))
})

await t.test('a password never gets into a problem', async (t) => {
  const { problems } = readDeclarations({
    name: 'box',
    labels: {
      'traefik.http.middlewares.a.basicauth.users': 'me:secret-1,you',
      'traefik.http.middlewares.b.forwardauth.address': 'http://me:secret-2@auth/',
      'traefik.http.middlewares.c.headers.customrequestheaders.Authorization': 'Bearer secret-3\r\n',
      'traefik.http.middlewares.d.forwardauth.address': `http://me:secret-4${'x'.repeat(500)}@auth/`
    }
  })
  t.equal(problems.length, 7)
  t.notMatch(JSON.stringify(problems), /secret/)
})
