import { Readable } from 'node:stream'
import { extract } from 'tar-stream'
import type { Header } from 'tar-stream'
import { openArchive } from '../engine/archives.ts'
import type { Engine } from '../engine/engine.ts'
import { DockApiError } from '../errors.ts'
import type { FileEntry, FileListing } from '../../schemas/files.ts'
import { feed } from './feed.ts'
import { spill } from './spill.ts'
import { formatMode } from './stat.ts'
import type { Found } from './stat.ts'

export type OpenedFile = { size: number, content: Readable }

/** What is kept in a file for a slow reader, in bytes. */
const MAX_AHEAD_BYTES = 1024 ** 3
/** What a listing reads at most: the engine sends a folder with all that is in it. */
const MAX_LISTED = 10_000
const MAX_LISTING_MS = 20_000

const TYPES: Record<Header['type'], FileEntry['type']> = {
  file: 'file', link: 'file', 'contiguous-file': 'file', symlink: 'symlink', directory: 'directory', 'block-device': 'block_device', 'character-device': 'character_device', fifo: 'fifo'
}

/**
 * The bytes of one file. Its size is the one that the engine wrote before them; a file that shrinks meanwhile breaks the stream off.
 * @throws DockApiError `path_not_found`, `engine_error`.
 */
export async function openFile (engine: Engine, id: string, found: Found, signal: AbortSignal): Promise<OpenedFile> {
  const tar = await openTar(engine, id, found, signal)
  const archive = extract()
  feed(tar, archive)
  const entries = archive[Symbol.asyncIterator]()
  const { value: entry } = await entries.next()
  if (entry?.header.type !== 'file') {
    tar.destroy()
    throw new DockApiError('engine_error', `The engine sent no file for "${found.path}".`)
  }
  const content = Readable.from(entry as AsyncIterable<Buffer>, { objectMode: false })
  content.once('close', () => tar.destroy())
  return { size: entry.header.size, content }
}

/** A file or folder as a tar, taken from the engine no slower for a reader who is slow, up to a point. @throws as `openFile`. */
export async function openTar (engine: Engine, id: string, { path }: Found, signal: AbortSignal): Promise<Readable> {
  return (await spill(await openArchive(engine, id, path, { signal }), MAX_AHEAD_BYTES)).stream
}

/**
 * What is directly in a folder. The engine has no listing: all of the folder is read, and what lies deeper passed over, until there is too much.
 * @throws DockApiError `path_not_found`.
 */
export async function listFolder (engine: Engine, id: string, { path, entry }: Found, signal: AbortSignal): Promise<FileListing> {
  const late = AbortSignal.timeout(MAX_LISTING_MS)
  const tar = await openArchive(engine, id, path, { signal: AbortSignal.any([signal, late]) })
  const archive = extract()
  feed(tar, archive)
  const entries: FileEntry[] = []
  let isTruncated = false
  try {
    for await (const child of archive) {
      const [name, ...deeper] = namesBelow(child.header.name)
      child.resume()
      if (name === undefined || deeper.length > 0) continue
      isTruncated = entries.length === MAX_LISTED
      if (isTruncated) break
      entries.push(childOf(name, child.header, entries))
    }
  } catch (error) {
    if (!late.aborted) throw error
    isTruncated = true
  } finally {
    tar.destroy()
  }
  return { path, ...entry, entries: entries.sort((a, b) => a.name < b.name ? -1 : 1), truncated: isTruncated }
}

/** The parts of an entry's name without the folder's own. */
function namesBelow (name: string): string[] {
  return name.replace(/\/$/, '').split('/').slice(1).filter((part) => part !== '')
}

/** Of a file with several names the engine sends the bytes once; the other names refer to that one. */
function childOf (name: string, { type, size, mode, mtime, linkname }: Header, before: FileEntry[]): FileEntry {
  const same = type === 'link' ? before.find((other) => other.name === namesBelow(linkname).join('/')) : undefined
  return { name, type: TYPES[type] ?? 'file', size: same?.size ?? size, mode: formatMode(mode), mtime: mtime.toISOString(), link_target: type === 'symlink' ? linkname : null }
}
