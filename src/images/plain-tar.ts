import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { DockApiError, invalidField, isDockApiError } from '../errors.ts'

const BLOCK_BYTES = 512
/** Where a header says that it is one (POSIX.1-1988 and GNU tar). */
const MAGIC = { offset: 257, text: 'ustar' }

/**
 * The tar in a body as a plain stream, gzip taken off, with backpressure. Unpacked here, so that a small body cannot become a
 * huge one on the engine's disk; what is no tar never reaches the engine.
 * @param maxBytes Of the unpacked tar.
 * @throws DockApiError from the stream: `body_too_large`, `invalid_request`.
 */
export function plainTar (source: Readable, maxBytes: number): Readable {
  return Readable.from(checked(source, maxBytes), { objectMode: false })
}

async function * checked (source: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0
  try {
    for await (const chunk of withHead(unpacked(withHead(source)))) {
      if (bytes === 0 && chunk.toString('latin1', MAGIC.offset, MAGIC.offset + MAGIC.text.length) !== MAGIC.text) {
        throw invalidField('body', '', 'is no tar archive', 'Send a tar, plain or packed with gzip, such as tar -cz . makes it.')
      }
      bytes += chunk.length
      if (bytes > maxBytes) throw new DockApiError('body_too_large', `The archive is larger than ${maxBytes / 1024 ** 2} MiB.`)
      yield chunk
    }
  } catch (error) {
    if (isDockApiError(error) || !/^Z_|^ERR_/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    throw invalidField('body', '', 'is damaged: its gzip packing ends early or is wrong')
  }
  if (bytes === 0) throw invalidField('body', '', 'is empty', 'Send a tar archive.')
}

/** The same bytes, the first chunk long enough to tell what they are. */
async function * withHead (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of source) {
    if (head === undefined) yield chunk
    else if ((head = Buffer.concat([head, chunk])).length >= BLOCK_BYTES) {
      yield head
      head = undefined
    }
  }
  if (head !== undefined && head.length > 0) yield head
}

async function * unpacked (source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  try {
    const { value: head } = await source.next()
    if (head === undefined) return
    const whole = restored(head as Buffer, source)
    if (head[0] === 0x1f && head[1] === 0x8b) yield * pipeline(Readable.from(whole, { objectMode: false }), createGunzip(), () => {}) as AsyncIterable<Buffer>
    else yield * whole
  } finally {
    // Who stops at the head has not begun with the source. Not waited for: it may be waiting for a client.
    source.return(undefined).catch(() => {})
  }
}

async function * restored (head: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield head
  yield * rest
}
