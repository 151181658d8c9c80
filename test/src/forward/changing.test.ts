import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createForwarder } from '../../../src/forward/forwarder.ts'
import { UpstreamFailure } from '../../../src/forward/upstream-failure.ts'
import { upstreamAt } from '../../support/middleware-gateway.ts'
import { connect, exchange } from '../../support/raw-client.ts'
import { createRawUpstream } from '../../support/raw-upstream.ts'
import type { Changes } from '../../../src/forward/changes.ts'
import type { Plan } from '../../support/raw-upstream.ts'
import type { Test } from 'tap'

const NONE: Changes = { requestEdits: [], maxRequestBytes: undefined, changeAnswer: undefined }

async function createRig (t: Test, changes: Changes, plan?: Plan, first?: number) {
  const rawd = await createRawUpstream(plan)
  const forwarder = createForwarder({ graceMs: 200 })
  const server = createServer((request, response) => {
    const nextUpstream = () => upstreamAt(rawd.port)
    forwarder.forward(request, response, upstreamAt(first ?? rawd.port), { rawUrl: request.url!, prefix: '', stripAuthorization: false, nextUpstream: first === undefined ? undefined : nextUpstream, changes })
      .catch((error: { code: string }) => { if (!response.destroyed) response.writeHead(599, { 'x-code': error.code }).end() })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => { server.once('listening', resolve) })
  t.after(async () => {
    server.close()
    server.closeAllConnections()
    await Promise.all([forwarder.destroy(), rawd.close()])
  })
  return { port: (server.address() as AddressInfo).port, rawd, forwarder }
}

t.test('a limited body that could not be sent goes to another upstream whole', async (t) => {
  const closed = await createRawUpstream()
  await closed.close()
  const { port, rawd } = await createRig(t, { ...NONE, maxRequestBytes: 200_000, requestEdits: [{ name: 'X-A', values: ['1', '2'] }] }, undefined, closed.port)
  const answer = await exchange(t, port, `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a0\r\n${'x'.repeat(100_000)}\r\n0\r\n\r\n`)
  t.equal(answer.status, 200)
  const request = await rawd.request()
  t.equal(request.bodyLength, 100_000)
  t.same(request.all('x-a'), ['1', '2'])
})

t.test('an upload under a limit is no faster than its reader', async (t) => {
  let release: () => void = () => {}
  const { port, rawd } = await createRig(t, { ...NONE, maxRequestBytes: 1e9 }, () => [{ until: new Promise<void>((resolve) => { release = resolve }) }, { wait: 'body' }, { send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' }])
  const client = await connect(t, port)
  const size = 256 * 1024
  const all = client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${`${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`.repeat(64)}0\r\n\r\n`)
  await rawd.request()
  release()
  t.equal((await client.answer()).body, 'ok')
  await all
  t.equal((await rawd.request()).bodyLength, size * 64)
})

t.test('an answer waits for its change, and arrives whole', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const changeAnswer: Changes['changeAnswer'] = async ({ headers }) => {
    asked.resolve()
    await promise
    headers.push('X-Late', '1')
  }
  const { port } = await createRig(t, { ...NONE, changeAnswer }, () => [{ send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n' }, { send: '3\r\ndef\r\n0\r\nX-T: 1\r\n\r\n' }])
  const client = await connect(t, port)
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await asked.promise
  t.equal(client.bytes.length, 0)
  resolve()
  const answer = await client.answer()
  t.equal(answer.header('x-late'), '1')
  t.equal(answer.body, 'abcdef')
  t.match(answer.trailers, 'X-T: 1')
})

t.test('a change that fails is a failure of the answer, at once or later', async (t) => {
  for (const changeAnswer of [() => { throw new UpstreamFailure('answer-too-large', 'too large') }, async () => { throw new Error('a mistake') }]) {
    const { port, rawd } = await createRig(t, { ...NONE, changeAnswer }, () => [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc' }, { until: new Promise(() => {}) }])
    const answer = await exchange(t, port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    t.equal(answer.header('x-code'), 'upstream_failed')
    await (await rawd.request()).peer.closed
  }
})

t.test('an upstream that breaks off while its answer waits breaks the client\'s off', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { port, rawd } = await createRig(t, { ...NONE, changeAnswer: () => promise }, () => [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc' }, { reset: true }])
  const client = await connect(t, port)
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await (await rawd.request()).peer.closed
  resolve()
  await client.closed()
  t.notMatch(client.text, 'x-code: upstream')
})

t.test('closing the forwarder does not leave an answer waiting', async (t) => {
  const asked = Promise.withResolvers<void>()
  const changeAnswer = () => {
    asked.resolve()
    return new Promise<void>(() => {})
  }
  const { port, forwarder } = await createRig(t, { ...NONE, changeAnswer }, () => [{ send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' }])
  const client = await connect(t, port)
  await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await asked.promise
  await forwarder.destroy()
  t.equal((await client.answer()).header('x-code'), 'shutting_down')
})
