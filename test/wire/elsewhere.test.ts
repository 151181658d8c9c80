import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { statusOf } from '../../plugins/errors.ts'
import type { DockApiError } from '../../src/errors.ts'
import { createForwarder } from '../../src/forward/forwarder.ts'
import type { ForwardOptions } from '../../src/forward/forwarder.ts'
import type { Upstream } from '../../src/forward/upstream.ts'
import { OK, createRawUpstream } from '../support/raw-upstream.ts'
import type { Plan } from '../support/raw-upstream.ts'
import { exchange } from '../support/raw-client.ts'

const upstreamAt = (port: number): Upstream => ({ containerId: String(port).padEnd(64, '0'), scheme: 'http', host: '127.0.0.1', port, reason: 'the test says so' })

/** A server before a first upstream that behaves as planned, or that nobody listens at, and a second one that is well. */
async function createPair (t: Test, plan: Plan | 'refuses', isSticky = false) {
  const [first, second] = await Promise.all([createRawUpstream(plan === 'refuses' ? undefined : plan), createRawUpstream()])
  if (plan === 'refuses') await first.close()
  t.after(() => Promise.all([first.close(), second.close()]))
  const left = [second]
  const port = await listen(t, upstreamAt(first.port), ({ isStale }) => {
    const next = isStale && isSticky ? undefined : left.shift()
    return next && upstreamAt(next.port)
  })
  return { port, first, second }
}

/** A server that forwards to `first`, and to what `nextUpstream` names. @returns Its port. */
async function listen (t: Test, first: Upstream, nextUpstream: ForwardOptions['nextUpstream']): Promise<number> {
  const forwarder = createForwarder({ graceMs: 100 })
  const server = createServer((request, response) => {
    forwarder.forward(request, response, first, { rawUrl: request.url!, prefix: '', stripAuthorization: false, nextUpstream })
      .catch((error: DockApiError) => { response.writeHead(statusOf(error)).end() })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await forwarder.destroy()
  })
  return (server.address() as AddressInfo).port
}

const GET = 'GET /x HTTP/1.1\r\nHost: app.test\r\n\r\n'
const POST = 'POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody'
const EMPTY_POST = 'POST /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\n\r\n'
const PUT = 'PUT /x HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody'

await t.test('what could not be sent goes to another upstream, whatever it is, its body whole', async (t) => {
  for (const bytes of [GET, POST, EMPTY_POST, PUT]) {
    const { port, second } = await createPair(t, 'refuses')
    t.equal((await exchange(t, port, bytes)).status, 200, bytes)
    t.match(second.requests, [{ line: bytes.slice(0, bytes.indexOf('\r\n')), body: Buffer.from(bytes.split('\r\n\r\n')[1]!) }])
    t.equal(second.requests[0]?.header('host'), 'app.test')
  }
})

await t.test('what was sent and lost goes elsewhere only when that can do no harm', async (t) => {
  for (const [bytes, status, count] of [[GET, 200, 1], [POST, 502, 0], [EMPTY_POST, 502, 0], [PUT, 502, 0]] as const) {
    const { port, first, second } = await createPair(t, () => [{ reset: true }])
    t.equal((await exchange(t, port, bytes)).status, status, bytes)
    t.equal(first.requests.length, 1)
    t.equal(second.requests.length, count)
  }
})

await t.test('when the next one fails too it goes on, for as long as there is another', async (t) => {
  const ending = await Promise.all([0, 1, 2].map(() => createRawUpstream(() => [{ reset: true }])))
  const well = await createRawUpstream()
  t.after(() => Promise.all([...ending, well].map((upstream) => upstream.close())))
  for (const [others, status] of [[[ending[1]!, ending[2]!, well], 200], [[ending[1]!, ending[2]!], 502], [[], 502]] as const) {
    const left = [...others]
    const port = await listen(t, upstreamAt(ending[0]!.port), () => left.length === 0 ? undefined : upstreamAt(left.shift()!.port))
    t.equal((await exchange(t, port, GET)).status, status)
  }
  t.same([...ending, well].map(({ requests }) => requests.length), [3, 2, 2, 1])
})

await t.test('an answer is an answer: neither a failure status nor a broken one is asked for again', async (t) => {
  for (const [answer, status] of [['HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n', 503], ['nonsense\r\n\r\n', 502]] as const) {
    const { port, second } = await createPair(t, () => [{ send: answer }])
    t.equal((await exchange(t, port, GET)).status, status)
    t.equal(second.requests.length, 0)
  }
})

await t.test('a kept connection that was lost: elsewhere at once, or, when no other is wanted for that, to the same again and then elsewhere', async (t) => {
  for (const [isSticky, isGone, counts] of [[false, false, [2, 1]], [true, false, [3, 0]], [true, true, [2, 1]]] as const) {
    const { port, first, second } = await createPair(t, ({ connection }, index) => index === 0 || connection > 0 ? OK : [{ reset: true }], isSticky)
    t.equal((await exchange(t, port, GET)).status, 200)
    // Nobody listens any more, but the kept connection is still there.
    const closing = isGone ? first.stopListening() : undefined
    t.equal((await exchange(t, port, GET)).status, 200)
    t.same([first.requests.length, second.requests.length], counts, `sticky ${isSticky}, gone ${isGone}`)
    await closing
  }
})
