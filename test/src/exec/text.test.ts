import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createOutputText } from '../../../src/exec/text.ts'
import type { OutputText } from '../../../src/exec/text.ts'

function read (pieces: Buffer[]): OutputText[] {
  const text = createOutputText()
  return [...pieces.flatMap((piece) => text.push(piece)), ...text.flush()]
}

function bytesOf (texts: OutputText[]): Buffer {
  return Buffer.concat(texts.map(({ data, encoding }) => Buffer.from(data, encoding ?? 'utf8')))
}

const slice = (bytes: Buffer, size: number) => Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

t.test('text stays text wherever it is cut', async (t) => {
  const bytes = Buffer.from('a café, 日本語, 😀 and the end')
  for (let size = 1; size <= bytes.length; size++) {
    const texts = read(slice(bytes, size))
    t.ok(texts.every(({ encoding }) => encoding === undefined), `${size}`)
    t.equal(texts.map(({ data }) => data).join(''), bytes.toString())
  }
})

t.test('of anything else every byte is there', async (t) => {
  const special = [Buffer.of(0xff, 0xc3), Buffer.of(0xf0, 0x9f, 0x98), Buffer.of(0xed, 0xa0, 0x80), Buffer.of(0xc0, 0x80), Buffer.of(0x80, 0x80, 0x80, 0x80), Buffer.of(0xf5, 0x80), Buffer.alloc(0)]
  for (const bytes of [...special, ...Array.from({ length: 200 }, () => randomBytes(50))]) {
    for (const size of [1, 2, 3, 7, 50]) t.ok(bytesOf(read(slice(bytes, size))).equals(bytes), `${bytes.toString('hex')} ${size}`)
  }
})
