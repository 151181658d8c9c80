import { randomBytes } from 'node:crypto'
import { brotliDecompressSync, constants, gunzipSync, zstdDecompressSync } from 'node:zlib'
import t from 'tap'
import { chooseCoding } from '../../../../src/gateway/middlewares/accept-encoding.ts'
import { createMiddlewareGateway } from '../../../support/middleware-gateway.ts'
import { connect, exchange } from '../../../support/raw-client.ts'
import type { Answer } from '../../../support/raw-client.ts'
import { until } from '../../../support/until.ts'

const TEXT = 'All work and no play makes Jack a dull boy.\n'.repeat(2_000)
const get = (accept: string | undefined, more = '', method = 'GET') => `${method} / HTTP/1.1\r\nHost: app.test\r\n${accept === undefined ? '' : `Accept-Encoding: ${accept}\r\n`}${more}\r\n`
const full = (headers = 'Content-Type: text/plain\r\n', body = TEXT, status = '200 OK') => () => [{ wait: 'body' as const }, { send: `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}` }]
const chunk = (text: string) => `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`

function decode ({ body, header }: Answer): string {
  const bytes = Buffer.from(body, 'latin1')
  switch (header('content-encoding')) {
    case 'gzip': return gunzipSync(bytes).toString('latin1')
    case 'br': return brotliDecompressSync(bytes).toString('latin1')
    case 'zstd': return zstdDecompressSync(bytes).toString('latin1')
    default: return body
  }
}

t.test('answers are compressed as the client wants it most', async (t) => {
  const { port, rawd, use } = await createMiddlewareGateway(t, full('Content-Type: text/plain; charset=utf-8\r\nETag: "v1"\r\nAccept-Ranges: bytes\r\nVary: Origin\r\n'))
  use({ compress: {} })
  for (const [accept, coding] of [['gzip', 'gzip'], ['br', 'br'], ['zstd', 'zstd'], ['gzip, deflate, br, zstd', 'zstd'], ['gzip;q=1.0, br;q=0.5', 'gzip'], ['*', 'zstd'], ['zstd;q=0, *;q=0.1', 'br'], ['GZIP ; q=0.001', 'gzip']] as const) {
    const answer = await exchange(t, port, get(accept))
    t.equal(answer.header('content-encoding'), coding, accept)
    t.ok(answer.body.length < TEXT.length / 20)
    t.equal(decode(answer), TEXT)
    t.equal(answer.isComplete, true)
    t.same(answer.all('content-length'), [])
    t.same(answer.all('accept-ranges'), [])
    t.same(answer.all('etag'), ['W/"v1"'])
    t.same(answer.all('vary'), ['Origin, Accept-Encoding'])
  }
  for (const accept of [undefined, '', 'deflate', 'identity', 'gzip;q=0', '*;q=0', 'gzip;q=2']) {
    const answer = await exchange(t, port, get(accept))
    t.equal(answer.header('content-encoding'), undefined, String(accept))
    t.equal(answer.body, TEXT)
    t.equal(answer.header('content-length'), String(TEXT.length))
    t.equal(answer.header('etag'), '"v1"')
    t.equal(answer.header('vary'), 'Origin, Accept-Encoding', 'a cache has to know that it depends')
  }
  t.equal((await rawd.request()).header('accept-encoding'), 'gzip', 'the application may do it itself')
})

t.test('what must not be compressed passes byte for byte', async (t) => {
  const { port, rawd, use } = await createMiddlewareGateway(t)
  use({ compress: { excluded_content_types: ['text/CSV'] } })
  const cases: [string, ReturnType<typeof full>, string?][] = [
    ['compressed already', full('Content-Type: text/plain\r\nContent-Encoding: br\r\n')],
    ['an event stream', full('Content-Type: text/event-stream\r\n')],
    ['gRPC', full('Content-Type: application/grpc+proto\r\n')],
    ['no-transform', full('Content-Type: text/plain\r\nCache-Control: public, no-transform\r\n')],
    ['a part', full('Content-Type: text/plain\r\nContent-Range: bytes 0-1/2\r\n', TEXT, '206 Partial Content')],
    ['small', full('Content-Type: text/plain\r\n', 'x'.repeat(1023))],
    ['empty', full('Content-Type: text/plain\r\n', '')],
    ['a picture', full('Content-Type: image/png\r\n')],
    ['of an excluded type', full('Content-Type: text/csv; charset=utf-8\r\n')],
    ['of no type', full('')],
    ['with a digest', full('Content-Type: text/plain\r\nContent-Digest: sha-256=:x:\r\n')],
    ['asked for by range', full(), 'Range: bytes=0-\r\n']
  ]
  for (const [name, plan, more] of cases) {
    rawd.plan = plan
    const expected = /\r\n\r\n([^]*)$/.exec((plan()[1] as { send: string }).send)![1]!
    const answer = await exchange(t, port, get('gzip, br', more))
    t.equal(answer.body, expected, name)
    t.equal(answer.header('content-length'), String(expected.length), name)
  }
  for (const [status, method] of [['204 No Content', 'GET'], ['304 Not Modified', 'GET'], ['200 OK', 'HEAD']] as const) {
    rawd.plan = () => [{ send: `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nETag: "a"\r\n${status.startsWith('204') ? '' : 'Content-Length: 9999\r\n'}\r\n` }]
    const answer = await exchange(t, port, get('gzip', '', method))
    t.equal(answer.header('content-encoding'), undefined, status)
    t.equal(answer.header('etag'), '"a"')
    t.equal(answer.body, '')
  }
})

t.test('types and codings can be chosen', async (t) => {
  const { port, use } = await createMiddlewareGateway(t, full('Content-Type: application/x-own\r\n', 'x'.repeat(50)))
  use({ compress: { included_content_types: ['application/x-own'], min_response_body_bytes: 50, encodings: ['gzip'], default_encoding: 'gzip' } })
  t.equal((await exchange(t, port, get('br, gzip;q=0.1'))).header('content-encoding'), 'gzip')
  t.equal((await exchange(t, port, get(undefined))).header('content-encoding'), 'gzip')
  use({ compress: { included_content_types: ['text/plain'] } })
  t.equal((await exchange(t, port, get('br, gzip'))).header('content-encoding'), undefined)
})

t.test('chunks, trailers, HTTP/1.0 and ends by closing', async (t) => {
  const { port, rawd, use } = await createMiddlewareGateway(t, () => [{ send: `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('caf\xe9')}${chunk(TEXT)}0\r\nX-T: 1\r\n\r\n`, slice: 4096 }])
  use({ compress: {} })
  const answer = await exchange(t, port, get('gzip'))
  t.equal(decode(answer), `caf\xe9${TEXT}`)
  t.match(answer.trailers, 'X-T: 1')
  const old = await connect(t, port)
  await old.send('GET / HTTP/1.0\r\nHost: app.test\r\nAccept-Encoding: gzip\r\n\r\n')
  t.equal(await old.closed(), 'end')
  t.equal(gunzipSync(old.bytes.subarray(old.bytes.indexOf('\r\n\r\n') + 4)).toString('latin1'), `caf\xe9${TEXT}`)
  rawd.plan = () => [{ send: `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n${TEXT}` }, { end: true }]
  t.equal(decode(await exchange(t, port, get('br'))), TEXT)
})

t.test('a slow stream arrives as it is written', async (t) => {
  for (const coding of ['gzip', 'br', 'zstd']) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { port, use } = await createMiddlewareGateway(t, () => [{ send: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('first line\n')}` }, { until: promise }, { send: `${chunk('second')}0\r\n\r\n` }])
    use({ compress: {} })
    const client = await connect(t, port)
    await client.send(get(coding))
    await client.until((text) => text.includes('\r\n\r\n'))
    await until(() => decodeSoFar(client.bytes, coding) === 'first line\n')
    resolve()
    t.equal(decode(await client.answer()), 'first line\nsecond', coding)
  }
})

/** What can be read of an answer in chunks that goes on. */
function decodeSoFar (bytes: Buffer, coding: string): string {
  let rest = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)
  const pieces: Buffer[] = []
  while (rest.includes('\r\n')) {
    const line = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.toString('latin1', 0, line), 16)
    pieces.push(rest.subarray(line + 2, line + 2 + size))
    rest = rest.subarray(line + size + 4)
  }
  const data = Buffer.concat(pieces)
  if (data.length === 0) return ''
  if (coding === 'gzip') return gunzipSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
  if (coding === 'br') return brotliDecompressSync(data, { finishFlush: constants.BROTLI_OPERATION_FLUSH }).toString()
  return zstdDecompressSync(data, { finishFlush: constants.ZSTD_e_flush }).toString()
}

t.test('a slow reader slows the application down, and gets every byte', async (t) => {
  const block = randomBytes(64 * 1024)
  const count = 512
  const { port, rawd, use } = await createMiddlewareGateway(t, () => [{ send: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${block.length * count}\r\n\r\n` }, { send: block, repeat: count }])
  use({ compress: { encodings: ['gzip'] } })
  const client = await connect(t, port)
  client.socket.pause()
  await client.send(get('gzip', 'Connection: close\r\n'))
  const { peer } = await rawd.request()
  // Each wait of rawd for room leaves a listener behind.
  peer.socket.setMaxListeners(0)
  let before = -1
  let calm = 0
  await until(() => {
    calm = peer.socket.bytesWritten === before ? calm + 1 : 0
    before = peer.socket.bytesWritten
    return calm > 40
  })
  t.ok(peer.socket.bytesWritten < block.length * count / 2, `${peer.socket.bytesWritten} bytes were taken`)
  client.socket.resume()
  await client.closed()
  const body = gunzipSync(Buffer.from((await client.answer()).body, 'latin1'))
  t.equal(body.length, block.length * count)
  for (let index = 0; index < count; index++) if (!body.subarray(index * block.length, (index + 1) * block.length).equals(block)) t.fail(`block ${index}`)
})

t.test('half a body never looks whole', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t, () => [{ send: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99999\r\n\r\n${TEXT.slice(0, 5000)}` }, { reset: true }])
  use({ compress: {} })
  const client = await connect(t, port)
  await client.send(get('gzip'))
  await client.closed()
  t.notMatch(client.text, /\r\n0\r\n\r\n$/)
  rawd.plan = () => [{ send: 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n' }, { until: new Promise(() => {}) }]
  const leaving = await connect(t, port)
  await leaving.send(get('gzip'))
  await leaving.until((text) => text.includes('\r\n\r\n'))
  const { peer } = rawd.requests.at(-1)!
  leaving.reset()
  await peer.closed
  t.equal(peer.ended, 'reset', 'a client that leaves ends the application\'s side')
})

t.test('limits count what the application says, and pages are as they are', async (t) => {
  const { port, use, rawd } = await createMiddlewareGateway(t, () => [{ send: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('x'.repeat(3000))}0\r\n\r\n` }])
  use({ compress: { encodings: ['gzip'] } }, { buffering: { max_response_body_bytes: 3000 } })
  t.equal(decode(await exchange(t, port, get('gzip'))), 'x'.repeat(3000))
  rawd.plan = () => [{ send: `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('x'.repeat(3001))}0\r\n\r\n` }]
  const client = await connect(t, port)
  await client.send(get('gzip'))
  await client.closed()
  t.notMatch(client.text, /\r\n0\r\n\r\n$/)
})

t.test('weights', async (t) => {
  t.equal(chooseCoding('br;q=0.2, gzip;q=0.3', ['zstd', 'br', 'gzip'], undefined), 'gzip')
  t.equal(chooseCoding('x-gzip', ['br', 'gzip'], undefined), 'gzip')
  t.equal(chooseCoding('*', ['br', 'gzip'], 'gzip'), 'gzip')
  t.equal(chooseCoding('gzip;q=0, *', ['gzip'], 'gzip'), undefined)
  t.equal(chooseCoding('gzip;q=abc', ['gzip'], undefined), undefined)
  t.equal(chooseCoding(undefined, ['br', 'gzip'], undefined), undefined)
})
