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

/** Splits a stream of the engine that comes in any pieces. */
export type OutputParser = {
  /** @throws Error for what is no frame. */
  push (bytes: Buffer): OutputChunk[]
  /** @throws Error when the stream ended in the middle of a frame. */
  end (): void
}

/**
 * Splits the engine's multiplexed stream into chunks of the two outputs, without gathering a frame: a frame of a gigabyte passes in the
 * pieces in which it arrives. Whether a stream is multiplexed at all is told by the container's TTY setting, not by the content type (API 1.41
 * sends the same type for both).
 */
export function createFrameParser (): OutputParser {
  let header: Buffer = Buffer.alloc(0)
  let output: OutputName = 'stdout'
  let remaining = 0
  let startsFrame = false

  function push (bytes: Buffer): OutputChunk[] {
    const chunks: OutputChunk[] = []
    let rest = bytes
    while (rest.length > 0) {
      if (remaining > 0) {
        const bytes = rest.subarray(0, remaining)
        remaining -= bytes.length
        rest = rest.subarray(bytes.length)
        chunks.push({ output, bytes, startsFrame })
        startsFrame = false
        continue
      }
      const missing = HEADER_BYTES - header.length
      const whole = header.length === 0 && rest.length >= HEADER_BYTES ? rest.subarray(0, HEADER_BYTES) : Buffer.concat([header, rest.subarray(0, missing)])
      rest = rest.subarray(missing)
      header = whole.length < HEADER_BYTES ? whole : Buffer.alloc(0)
      if (whole.length < HEADER_BYTES) break
      const name = OUTPUTS[whole[0]!]
      if (name === undefined) throw new Error(`The engine sent a frame of unknown type ${whole[0]}.`)
      output = name
      remaining = whole.readUInt32BE(4)
      startsFrame = true
    }
    return chunks
  }

  function end () {
    if (remaining > 0 || header.length > 0) throw new Error('The engine\'s stream ended in the middle of a frame.')
  }

  return { push, end }
}

/** The same shape for a TTY, whose one stream has no frames. */
export function createRawParser (): OutputParser {
  return { push: (bytes) => [{ output: 'stdout', bytes }], end () {} }
}

/** The parser as a stream, with backpressure. */
export function createFrameDecoder (): Transform {
  const parser = createFrameParser()

  function transform (this: Transform, bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
    try {
      for (const chunk of parser.push(bytes)) this.push(chunk)
      done()
    } catch (error) {
      done(error as Error)
    }
  }

  function flush (done: TransformCallback) {
    try {
      parser.end()
      done()
    } catch (error) {
      done(error as Error)
    }
  }

  return new Transform({ readableObjectMode: true, transform, flush })
}

/** The same for a TTY. */
export function createRawDecoder (): Transform {
  return new Transform({
    readableObjectMode: true,
    transform (bytes: Buffer, _encoding, done) { done(null, { output: 'stdout', bytes } satisfies OutputChunk) }
  })
}
