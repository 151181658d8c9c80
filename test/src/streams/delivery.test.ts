import { once } from 'node:events'
import t from 'tap'
import { createChannel } from '../../../src/streams/channel.ts'
import { deliver } from '../../../src/streams/delivery.ts'
import { createEncoder } from '../../../src/streams/encoder.ts'
import type { StreamEvent } from '../../../src/streams/encoder.ts'

const never = new AbortController().signal
const sse = createEncoder('sse', () => '')

t.test('silence is filled with comments, and events come through it', async (t) => {
  const channel = createChannel<StreamEvent>(10, never)
  const stream = deliver(channel.batches(), { encoder: sse, closing: never, heartbeatMs: 5 })
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (text.endsWith(': alive\n\n: alive\n\n')) channel.push({ event: 'log', data: { line: 'x\ny' } })
    if (text.includes('event: log')) channel.end('complete')
  })
  await once(stream, 'end')
  t.match(text, /^retry: 2000\n\n(: alive\n\n)+event: log\ndata: {"line":"x\\ny"}\n\n(: alive\n\n)*event: end\ndata: {"reason":"complete"}\n\n$/)
})

t.test('nothing is asked for that nobody reads', async (t) => {
  let asked = 0
  async function * endless (): AsyncGenerator<StreamEvent[], never> {
    for (;;) {
      asked++
      yield [{ event: 'log', data: { line: 'x'.repeat(10_000) } }]
    }
  }
  const stream = deliver(endless(), { encoder: sse, closing: never })
  await once(stream, 'readable')
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(asked < 20, `${asked} batches`)
  stream.destroy()
})

t.test('a failure is the last event; text breaks off', async (t) => {
  async function * failing (): AsyncGenerator<StreamEvent[], 'complete'> {
    yield [{ event: 'log', data: {} }]
    throw new Error('read ECONNRESET')
  }
  const events = await deliver(failing(), { encoder: createEncoder('ndjson', () => ''), closing: never }).toArray()
  t.match(events.join(''), /"reason":"engine_lost"/)
  await t.rejects(deliver(failing(), { encoder: createEncoder('text', () => 'x'), closing: never }).toArray())
})

t.test('a channel tells who brings when there is no room, and goes on when there is', async (t) => {
  const channel = createChannel<number>(2, never)
  t.equal(channel.push(1), true)
  t.equal(channel.push(2), false)
  const batches = channel.batches()
  const [, batch] = await Promise.all([channel.drained(), batches.next()])
  t.same(batch.value, [1, 2])
  channel.push(3)
  channel.end('too_slow')
  t.same(await batches.next(), { done: false, value: [3] })
  t.same(await batches.next(), { done: true, value: 'too_slow' })
})

t.end()
