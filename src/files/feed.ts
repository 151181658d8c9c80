import type { Extract } from 'tar-stream'

/** Hands a tar to its reader, no faster than it is read. A failure of the source is one of the reader; a reader that ends lets go of the source. */
export function feed (source: AsyncIterable<Buffer>, archive: Extract): void {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  archive.once('close', resolve)
  const pass = async () => {
    for await (const chunk of source) {
      if (archive.destroyed) return
      if (!archive.write(chunk)) await Promise.race([closed, new Promise<void>((resolve) => { archive.once('drain', resolve) })])
    }
    archive.end(undefined)
  }
  pass().catch((error: Error) => { archive.destroy(error) })
}
