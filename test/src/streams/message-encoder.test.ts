import t from 'tap'
import { createMessageEncoder } from '../../../src/streams/message-encoder.ts'

const encode = (line: string) => createMessageEncoder().encode([{ event: 'log', id: '1', data: { line } }])

t.test('a line is the data of a message, as it is', async (t) => {
  t.equal(encode('[init] pulling image...'), 'id: 1\ndata: [init] pulling image...\n\n')
  t.equal(encode(''), 'id: 1\ndata: \n\n')
  t.equal(encode(' two: spaces'), 'id: 1\ndata:  two: spaces\n\n')
})

t.test('no line can end its message or forge a field', async (t) => {
  for (const [line, expected] of [
    ['a\rb', 'data: a\ndata: b\n'], ['a\nb', 'data: a\ndata: b\n'], ['a\r\nb', 'data: a\ndata: b\n'], ['a\r\r\revent: end', 'data: a\ndata: \ndata: \ndata: event: end\n'], ['id: 7', 'data: id: 7\n']
  ] as const) t.equal(encode(line), `id: 1\n${expected}\n`)
})

t.test('the end has an id that leads to the last line', async (t) => {
  const encoder = createMessageEncoder()
  t.equal(encoder.end({ reason: 'complete' }), 'event: end\nid: end~\ndata: {"reason":"complete"}\n\n')
  encoder.encode([{ event: 'log', id: 'init~1', data: { line: 'a' } }, { event: 'log', id: 'init~2', data: { line: 'b' } }])
  t.equal(encoder.end({ reason: 'failed' }), 'event: end\nid: end~init~2\ndata: {"reason":"failed"}\n\n')
})

t.end()
