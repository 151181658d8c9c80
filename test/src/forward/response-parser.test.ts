import { request as startRequest } from 'node:http'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import t from 'tap'
import { createResponseParser } from '../../../src/forward/response-parser.ts'
import { UpstreamFailure } from '../../../src/forward/upstream-failure.ts'

type Outcome = { status: number, reason: string, headers: string[], body: string, trailers: string[] }

/** Reads one answer; `undefined` when it is refused, not complete, or followed by more. */
function read (bytes: Buffer, cuts: number[] = [], isHead = false): Outcome | undefined {
  let outcome: Outcome | undefined
  let isComplete = false
  const body: Buffer[] = []
  const parser = createResponseParser({
    onInterim: () => {},
    onHead: ({ status, reason, headers }) => { outcome = { status, reason, headers, body: '', trailers: [] } },
    onData: (data) => { body.push(data) },
    onEnd: (trailers) => { isComplete = true; outcome!.trailers = trailers },
    onSwitch: () => {}
  })
  parser.expect({ isHead, isUpgrade: false })
  const marks = [0, ...cuts, bytes.length]
  try {
    for (let index = 1; index < marks.length; index++) parser.read(bytes.subarray(marks[index - 1], marks[index]))
    if (!isComplete) parser.finish()
  } catch (error) {
    if (!(error instanceof UpstreamFailure)) throw error
    return undefined
  }
  if (outcome === undefined || !isComplete) return undefined
  return { ...outcome, body: Buffer.concat(body).toString('latin1') }
}

/** The same by Node's own strict parser. */
async function readByNode (bytes: Buffer): Promise<Outcome | undefined> {
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => { done() } })
  const request = startRequest({ createConnection: () => socket, method: 'GET', headers: { host: 'x' } })
  const failed = new Promise<undefined>((resolve) => { request.on('error', () => { resolve(undefined) }) })
  request.on('upgrade', () => { socket.destroy() })
  request.end()
  socket.push(bytes)
  socket.push(null)
  const answered = once(request, 'response').then(async ([response]) => {
    const body = Buffer.concat(await response.toArray()).toString('latin1')
    if (!response.complete) return undefined
    return { status: response.statusCode, reason: response.statusMessage, headers: response.rawHeaders, body, trailers: response.rawTrailers } as Outcome
  }).catch(() => undefined)
  const outcome = await Promise.race([answered, failed])
  socket.destroy()
  return outcome
}

const ANSWERS = [
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-T: 1\r\n\r\n',
  'HTTP/1.1 200\r\nX-Empty:\r\nX-Space: \t a b \t\r\n\r\nuntil close',
  'HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 caf\xe9\r\nSet-Cookie: a=1\r\nset-cookie: b=\xff\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n'
].map((text) => Buffer.from(text, 'latin1'))

await t.test('an answer means the same wherever it is cut', async (t) => {
  for (const bytes of ANSWERS) {
    const whole = read(bytes)
    t.ok(whole)
    for (let cut = 1; cut < bytes.length; cut++) t.same(read(bytes, [cut]), whole)
    t.same(read(bytes, Array.from({ length: bytes.length - 1 }, (_, index) => index + 1)), whole)
  }
})

await t.test('what is read is what was sent', async (t) => {
  t.same(read(ANSWERS[1]!), { status: 200, reason: 'OK', headers: ['Transfer-Encoding', 'chunked'], body: 'hello world', trailers: ['X-T', '1'] })
  t.same(read(ANSWERS[2]!), { status: 200, reason: '', headers: ['X-Empty', '', 'X-Space', 'a b'], body: 'until close', trailers: [] })
  t.same(read(ANSWERS[4]!)?.headers, ['Set-Cookie', 'a=1', 'set-cookie', 'b=\xff', 'Content-Length', '2'])
})

await t.test('every valid answer is read as Node reads it', async (t) => {
  for (const bytes of ANSWERS) t.same(read(bytes), await readByNode(bytes))
})

await t.test('a damaged answer is refused, or read as Node reads it where Node does not refuse it', async (t) => {
  const random = createRandom(20_26)
  const pieces = ['\r', '\n', '\r\n', ' ', '\t', ':', ';', ',', '0', '5', '-', '+', '\0', '\x7f', '\x80', 'chunked', 'Content-Length: 3\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip\r\n', 'Connection: close\r\n']
  let accepted = 0
  for (let round = 0; round < 3000; round++) {
    let bytes: Buffer = ANSWERS[random(ANSWERS.length)]!
    for (let change = random(3); change >= 0; change--) bytes = damage(bytes, pieces[random(pieces.length)]!, random)
    const ours = read(bytes)
    if (ours === undefined) continue
    accepted++
    const node = await readByNode(bytes)
    if (node !== undefined && JSON.stringify(ours) !== JSON.stringify(node)) t.same(ours, node, JSON.stringify(bytes.toString('latin1')))
  }
  t.ok(accepted > 300, `${accepted} of them were still valid`)
})

function damage (bytes: Buffer, piece: string, random: (below: number) => number): Buffer {
  const start = random(bytes.length)
  const kept = start + (random(2) === 0 ? 0 : random(4))
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(random(4) === 0 ? '' : piece, 'latin1'), bytes.subarray(kept)])
}

/** The same sequence in each run (a linear congruential generator). */
function createRandom (seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return Math.floor(state / 2 ** 32 * below)
  }
}
