import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { DockApiError } from '../errors.ts'

/** A stream with a file between the one who writes and the one who reads. */
export type Spilled = {
  stream: Readable
  /** Resolves with the number of bytes when the source has ended, rejects with its failure. */
  complete: Promise<number>
}

const CHUNK_BYTES = 64 * 1024

/**
 * Takes a source as fast as it comes and hands it out as fast as it is read. The engine holds a container's lock while it packs or unpacks (moby `daemon/archive`), and
 * then tells nothing else of it: nobody's slow connection may stand on the other end of that. The file is in the folder for temporary files and is gone with the stream.
 * @param maxAheadBytes How far the source may be ahead of the reader; then it has to wait.
 * @throws DockApiError `disk_full` from the stream when there is no room.
 */
export async function spill (source: AsyncIterable<Buffer>, maxAheadBytes = Infinity): Promise<Spilled> {
  const path = join(tmpdir(), `dockapi-${randomUUID()}`)
  const file = await open(path, 'wx+', 0o600).catch(rethrow)
  // Whatever happens to this process, nothing is left; where an open file cannot be removed, it is once it is closed.
  await rm(path, { force: true }).catch(() => {})
  let written = 0
  let read = 0
  let end: { error?: unknown } | undefined
  let isLeft = false
  let wake = () => {}
  const isTooFarAhead = () => written - read > maxAheadBytes && !isLeft
  const change = () => new Promise<void>((resolve) => { wake = resolve })

  async function write (): Promise<number> {
    try {
      for await (const chunk of source) {
        await writeAll(file, chunk, written)
        written += chunk.length
        wake()
        while (isTooFarAhead()) await change()
        if (isLeft) break
      }
      end = {}
    } catch (error) {
      end = { error }
    }
    wake()
    if ('error' in end) return rethrow(end.error)
    return written
  }

  async function * readBehind (): AsyncGenerator<Buffer> {
    for (;;) {
      if (read < written) {
        const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(CHUNK_BYTES, written - read)), 0, null, read)
        read += bytesRead
        wake()
        yield buffer.subarray(0, bytesRead)
      } else if (end === undefined) await change()
      else if ('error' in end) rethrow(end.error)
      else return
    }
  }

  const complete = write()
  complete.catch(() => {})
  const stream = Readable.from(readBehind(), { objectMode: false, highWaterMark: CHUNK_BYTES })
  stream.once('close', () => {
    isLeft = true
    wake()
    complete.catch(() => {}).finally(() => close(file, path)).catch(() => {})
  })
  return { stream, complete }
}

async function writeAll (file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let done = 0; done < chunk.length;) done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten
}

async function close (file: FileHandle, path: string): Promise<void> {
  await file.close()
  await rm(path, { force: true })
}

function rethrow (error: unknown): never {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error
  throw new DockApiError('disk_full', 'The disk of this server is full: there is no room for temporary files.', { hint: 'Make room there, or set TMPDIR to a folder that has some.', cause: error })
}
