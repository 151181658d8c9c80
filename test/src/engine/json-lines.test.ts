import t from 'tap'
import { createJsonLines } from '../../../src/engine/json-lines.ts'

const DOCUMENTS = [{ id: 'a' }, { name: 'Größe 🐳', nested: { text: 'a\nb' } }, { id: 'c' }]
const BYTES = Buffer.from(DOCUMENTS.map((document) => `${JSON.stringify(document)}\n`).join(''))

await t.test('documents come out whole whatever the size of the chunks', async (t) => {
  for (const size of [1, 2, 3, 7, BYTES.length]) {
    const lines = createJsonLines()
    const got: unknown[] = []
    for (let start = 0; start < BYTES.length; start += size) got.push(...lines.push(BYTES.subarray(start, start + size)))
    t.strictSame(got, DOCUMENTS, `${size} bytes at a time`)
  }
})

await t.test('blank lines and carriage returns are nothing; the last line waits for its end', async (t) => {
  const lines = createJsonLines()
  t.strictSame(lines.push(Buffer.from('\n\r\n{"a":1}\r\n{"b"')), [{ a: 1 }])
  t.strictSame(lines.push(Buffer.from(':2}\n')), [{ b: 2 }])
})

await t.test('what is no JSON or too long is told and what follows is read', async (t) => {
  const lines = createJsonLines(10)
  t.strictSame(lines.push(Buffer.from('{broken\n1\n')), [undefined, 1])
  const dropped = Array.from({ length: 100 }, () => lines.push(Buffer.from('"12345678')).length)
  t.ok(dropped.every((count) => count === 0))
  t.strictSame(lines.push(Buffer.from('"\n2\n')), [undefined, 2])
})
