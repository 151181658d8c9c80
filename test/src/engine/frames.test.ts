import { Readable } from 'node:stream'
import t from 'tap'
import { createFrameDecoder } from '../../../src/engine/frames.ts'
import type { OutputChunk } from '../../../src/engine/frames.ts'

function frame (type: number, payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload)
  const header = Buffer.alloc(8)
  header[0] = type
  header.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([header, bytes])
}

async function decode (bytes: Buffer, sliceBytes: number) {
  const slices = Array.from({ length: Math.ceil(bytes.length / sliceBytes) }, (_, index) => bytes.subarray(index * sliceBytes, (index + 1) * sliceBytes))
  const outputs = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  for await (const { output, bytes: chunk } of Readable.from(slices).pipe(createFrameDecoder()) as AsyncIterable<OutputChunk>) outputs[output] = Buffer.concat([outputs[output], chunk])
  return outputs
}

const big = Buffer.alloc(3 * 1024 ** 2, 'x')
const stream = Buffer.concat([frame(1, 'caf'), frame(1, Buffer.from([0xc3])), frame(2, 'oops'), frame(1, Buffer.from([0xa9])), frame(1, ''), frame(0, '!'), frame(2, Buffer.from([0, 255]))])

t.test('bytes are the same however the stream is sliced', async (t) => {
  for (const size of [1, 2, 3, 7, 8, 9, 64, stream.length]) {
    const { stdout, stderr } = await decode(stream, size)
    t.equal(stdout.toString(), 'café!')
    t.same(stderr, Buffer.concat([Buffer.from('oops'), Buffer.from([0, 255])]))
  }
})

t.test('a frame of megabytes passes in pieces', async (t) => {
  const { stdout } = await decode(frame(1, big), 65536)
  t.equal(stdout.length, big.length)
})

t.test('a frame that is cut off or of an unknown type is an error', async (t) => {
  for (const bytes of [stream.subarray(0, -1), stream.subarray(0, 5), frame(3, 'x'), frame(255, 'x')]) {
    const decoder = createFrameDecoder()
    await t.rejects(async () => {
      decoder.end(bytes)
      await decoder.toArray()
    })
  }
})
