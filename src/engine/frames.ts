import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'

/** Which of the container's outputs a chunk belongs to. */
export type OutputName = 'stdout' | 'stderr'
export type OutputChunk = {
  output: OutputName
  bytes: Buffer
  /** Whether a frame begins here; undefined where there are no frames. */
  startsFrame?: boolean
}

/** Docker API, ContainerAttach, "Stream format": stream type, three zero bytes, big-endian length of the payload. */
const HEADER_BYTES = 8
const OUTPUTS: Record<number, OutputName> = { 0: 'stdout', 1: 'stdout', 2: 'stderr' }

/**
 * Splits the engine's multiplexed stream into chunks of the two outputs, with backpressure and without gathering a frame:
 * a frame of a gigabyte passes in the pieces in which it arrives. Whether a stream is multiplexed at all is told by the
 * container's TTY setting, not by the content type (API 1.41 sends the same type for both).
 */
export function createFrameDecoder (): Transform {
  let header = Buffer.alloc(0)
  let output: OutputName = 'stdout'
  let remaining = 0
  let startsFrame = false

  function transform (this: Transform, chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
    let rest = chunk
    while (rest.length > 0) {
      if (remaining > 0) {
        const bytes = rest.subarray(0, remaining)
        remaining -= bytes.length
        rest = rest.subarray(bytes.length)
        this.push({ output, bytes, startsFrame } satisfies OutputChunk)
        startsFrame = false
        continue
      }
      const missing = HEADER_BYTES - header.length
      header = Buffer.concat([header, rest.subarray(0, missing)])
      rest = rest.subarray(missing)
      if (header.length < HEADER_BYTES) break
      const name = OUTPUTS[header[0]!]
      if (name === undefined) {
        done(new Error(`The engine sent a frame of unknown type ${header[0]}.`))
        return
      }
      output = name
      remaining = header.readUInt32BE(4)
      startsFrame = true
      header = Buffer.alloc(0)
    }
    done()
  }

  function flush (done: TransformCallback) {
    done(remaining > 0 || header.length > 0 ? new Error('The engine\'s stream ended in the middle of a frame.') : null)
  }

  return new Transform({ readableObjectMode: true, transform, flush })
}

/** The same shape for a TTY, whose one stream has no frames. */
export function createRawDecoder (): Transform {
  return new Transform({
    readableObjectMode: true,
    transform (bytes: Buffer, _encoding, done) { done(null, { output: 'stdout', bytes } satisfies OutputChunk) }
  })
}
