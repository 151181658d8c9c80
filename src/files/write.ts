import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { putArchive } from '../engine/archives.ts'
import type { Containers } from '../containers/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import { DockApiError, invalidField, isDockApiError } from '../errors.ts'
import type { WrittenFiles } from '../../schemas/files.ts'
import { boundedBody } from './incoming.ts'
import { headerOf, ownerOf } from './owner.ts'
import type { Owner } from './owner.ts'
import { safeTar } from './safe-tar.ts'
import { spill } from './spill.ts'
import { findPath } from './stat.ts'

/** How long the engine may take for what it has been given, in milliseconds. */
const UNPACK_TIMEOUT_MS = 10 * 60_000

/**
 * Writes one file; its folder must be there. A file that is there is replaced, a link too and not what it leads to. Nothing is written before the whole body is here.
 * @param path Checked by `checkPath`. @param mode Permissions, such as 0o644.
 * @throws DockApiError `body_too_large`, `path_not_found`, `not_a_folder`, `path_conflict`, `read_only`, `disk_full`.
 */
export async function writeFile ({ engine, config }: Containers, document: ContainerDocument, path: string, { body, mode }: { body: Readable, mode: number }, signal: AbortSignal): Promise<WrittenFiles> {
  if (path === '/') throw invalidField('query', '/path', 'names no file')
  const folder = await findFolder(engine, document, posix.dirname(path), signal)
  const { stream, complete } = await spill(boundedBody(body, config.maxUpload))
  try {
    const size = await complete
    const tar = packFile(stream, { name: posix.basename(path), size, mode, owner: await ownerOf(engine, document, signal) })
    await unpack(engine, document.Id, folder, tar, signal)
    return { path, entries: 1, bytes: size }
  } finally {
    stream.destroy()
  }
}

/**
 * Unpacks a plain tar into a folder that is there. Nothing is written before the whole archive was found good.
 * @throws DockApiError as `writeFile`, and `invalid_request` that names an entry which is refused.
 */
export async function unpackTar ({ engine, config }: Containers, document: ContainerDocument, path: string, body: Readable, signal: AbortSignal): Promise<WrittenFiles> {
  const folder = await findFolder(engine, document, path, signal)
  const tally = { entries: 0, bytes: 0 }
  const { stream, complete } = await spill(safeTar(boundedBody(body, config.maxUpload), await ownerOf(engine, document, signal), tally))
  try {
    await complete
    await unpack(engine, document.Id, folder, stream, signal)
    return { path, ...tally }
  } finally {
    stream.destroy()
  }
}

async function unpack (engine: Containers['engine'], id: string, folder: string, tar: Readable, signal: AbortSignal): Promise<void> {
  try {
    await putArchive(engine, id, folder, tar, { timeoutMs: UNPACK_TIMEOUT_MS, signal })
  } catch (error) {
    // Nothing can be taken away again: the engine has no call for it.
    throw isDockApiError(error, 'disk_full') ? new DockApiError('disk_full', error.message, { hint: `Make room where "${folder}" is, on its volume or on the engine's machine, and send it again: the file that had no room is there in part.`, cause: error }) : error
  }
}

async function findFolder (engine: Containers['engine'], document: ContainerDocument, path: string, signal: AbortSignal): Promise<string> {
  const found = await findPath(engine, document, path, signal)
  if (found.entry.type !== 'directory') throw new DockApiError('not_a_folder', `"${path}" is no folder.`)
  return found.path
}

function packFile (content: Readable, { name, size, mode, owner }: { name: string, size: number, mode: number, owner: Owner }): Readable {
  const tar = pack()
  const sink = tar.entry({ name, size, mode, mtime: new Date(), ...headerOf(owner) }, (error) => { if (error instanceof Error) tar.destroy(error); else tar.finalize() })
  sink.on('error', (error) => { tar.destroy(error) })
  content.once('error', (error) => { tar.destroy(error) })
  content.pipe(sink as unknown as NodeJS.WritableStream)
  return Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false })
}
