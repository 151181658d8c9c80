import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Type } from '@sinclair/typebox'
import t from 'tap'
import type { Test } from 'tap'
import { problemOf, statusOf } from '../../plugins/errors.ts'
import type { Problem } from '../../schemas/problem.ts'
import { DockApiError } from '../../src/errors.ts'
import { createTestApp } from '../support/app.ts'

const BODY = Type.Object({ image: Type.String({ minLength: 1 }), ports: Type.Optional(Type.Array(Type.Object({ 'a/b': Type.Integer() }, { additionalProperties: false }))) }, { additionalProperties: false })

async function createFailing (t: Test) {
  const app = await createTestApp(t)
  const config = { scope: 'read' } as const
  app.get('/domain', { config }, async () => { throw new DockApiError('ambiguous_id', 'Two match.', { details: { candidates: ['a', 'b'] }, retryAfterSeconds: 3 }) })
  app.get('/bug', { config }, async () => { throw new TypeError('secret: /home/user/x.ts') })
  app.post('/body', { config, schema: { body: BODY, querystring: Type.Object({ tail: Type.Optional(Type.Integer()) }, { additionalProperties: false }) } }, async () => 'ok')
  return app
}

await t.test('an error of the domain is a problem document with its code, hint and details', async (t) => {
  const app = await createFailing(t)
  const response = await app.inject('/domain?password=secret')
  t.equal(response.statusCode, 409)
  t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.equal(response.headers['retry-after'], '3')
  t.match(response.json(), { type: '/docs/errors#ambiguous_id', title: 'Several containers match', status: 409, detail: 'Two match.', error: 'Two match.', instance: '/domain', code: 'ambiguous_id', retryable: false, candidates: ['a', 'b'] })
  t.type(response.json<Problem>().hint, 'string')
  t.notMatch(response.body, 'secret')
})

await t.test('no detail takes the place of a standard member', async (t) => {
  const error = new DockApiError('not_ready', 'It was not.', { details: { status: 'running', code: 'x', exit_code: 1 } })
  t.match(problemOf(error, '/x', 'req-1'), { status: statusOf(error), code: 'not_ready', exit_code: 1 })
  t.equal(Object.keys(problemOf(error, '/x', 'req-1')).at(-1), 'exit_code')
})

await t.test('S30: a bug says nothing about the inside', async (t) => {
  const app = await createFailing(t)
  const response = await app.inject('/bug')
  t.equal(response.statusCode, 500)
  t.match(response.json(), { code: 'internal_error', retryable: false })
  t.notMatch(response.body, /secret|home|TypeError|\.ts/)
})

await t.test('every wrong field is named at once, with a JSON pointer', async (t) => {
  const app = await createFailing(t)
  const response = await app.inject({ method: 'POST', url: '/body', payload: { image: '', extra: 1, ports: [{ 'a/b': 'x' }, {}] } })
  t.equal(response.statusCode, 400)
  const problem = response.json<Problem>()
  t.equal(problem.code, 'invalid_request')
  t.same(problem.errors?.map(({ where, pointer }) => `${where} ${pointer}`).sort(), ['body /extra', 'body /image', 'body /ports/0/a~1b', 'body /ports/1/a~1b'])
  t.match(problem.detail, /^The body is wrong: .*\.$/)
  const query = await app.inject({ method: 'POST', url: '/body?tail=many', payload: { image: 'x' } })
  t.match(query.json(), { status: 400, errors: [{ where: 'query', pointer: '/tail' }] })
})

await t.test('a body that cannot be read has a code of its own', async (t) => {
  const app = await createFailing(t)
  const post = (payload: string, type = 'application/json') => app.inject({ method: 'POST', url: '/body', payload, headers: { 'content-type': type } })
  for (const payload of ['{', '{"image":}', 'image=x', '{"__proto__":{"image":"x"}}', '{"constructor":{"prototype":{}}}']) {
    t.match((await post(payload)).json(), { status: 400, code: 'invalid_json' }, payload)
  }
  t.match((await post('x', 'text/plain')).json(), { status: 415, code: 'unsupported_media_type', detail: 'The API takes no body of the content type "text/plain".' })
  t.match((await post(JSON.stringify({ image: 'x'.repeat(1024 ** 2) }))).json(), { status: 413, code: 'body_too_large' })
})

await t.test('an unknown route, a missing file and a broken path are problem documents too', async (t) => {
  const app = await createFailing(t)
  for (const [url, status, code] of [['/nowhere?x=1', 404, 'route_not_found'], ['/docs/static/nothing.js', 404, 'route_not_found'], ['/%zz', 400, 'invalid_request'], [`/containers/${'x'.repeat(300)}`, 400, 'invalid_request']] as const) {
    const response = await app.inject(url)
    t.match(response.headers['content-type'], 'application/problem+json', url)
    t.match(response.json(), { status, code }, url)
  }
  const response = await app.inject({ url: '/proxy-x/<script>alert(1)</script>', headers: { accept: 'text/html' } })
  t.match(response.headers, { 'content-type': /^application\/problem\+json/, 'x-content-type-options': 'nosniff' })
})

await t.test('what is no HTTP request is a problem document, and the connection ends', async (t) => {
  const app = await createFailing(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  for (const [bytes, status, code] of [
    ['GARBAGE\r\n\r\n', 400, 'invalid_request'],
    ['GET / HTTP/1.1\r\n\r\n', 400, undefined],
    ['GET / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n', 400, 'invalid_request'],
    [`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`, 431, 'headers_too_large']
  ] as const) {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(bytes)
    const answer = await text(socket)
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
    if (code !== undefined) t.match(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))), { status, code })
  }
})
