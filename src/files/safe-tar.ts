import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { extract, pack } from 'tar-stream'
import type { Header } from 'tar-stream'
import { DockApiError, invalidField, isDockApiError } from '../errors.ts'
import { feed } from './feed.ts'
import { headerOf } from './owner.ts'
import type { Owner } from './owner.ts'

/** What was read of an archive. */
export type TarTally = { entries: number, bytes: number }

const MAX_ENTRIES = 100_000
const MAX_NAME_LENGTH = 1024
/** The names that are kept of one archive, in UTF-16 units: links are checked against them. */
const MAX_KEPT_LENGTH = 16 * 1024 ** 2
/** Entries that are written and not read yet. */
const MAX_WAITING = 1000
const PERMISSIONS = 0o777

/**
 * The same archive, written anew from what was understood of it: files, folders and links that stay within the folder in which it is unpacked. Nothing else ever
 * reaches the engine, which unpacks as root (moby CVE-2018-15664 and its kin): no other name, type, packing, owner, set-user-id bit or extended attribute.
 * @param owner Of all that is written. @param tally Is counted up as the archive is read.
 * @throws DockApiError `invalid_request` from the stream, naming the entry.
 */
export function safeTar (source: AsyncIterable<Buffer>, owner: Owner, tally: TarTally): Readable {
  const archive = extract()
  const out = pack()
  const check = createCheck(owner)
  feed(source, archive)
  archive.on('error', (error) => { out.destroy(error) })
  let failure: Error | undefined
  out.on('error', (error) => { failure = error })
  out.once('close', () => { archive.destroy() })

  // What has no content waits for nobody by itself.
  let waiting = 0
  let wake = () => {}

  const copy = async () => {
    for await (const entry of archive) {
      const header = check(entry.header)
      // The folder itself stays as it is.
      if (header.name === '.') {
        entry.resume()
        continue
      }
      tally.entries++
      if (tally.entries > MAX_ENTRIES) throw refused(entry.header, `is one of more than ${MAX_ENTRIES} entries`)
      tally.bytes += header.size ?? 0
      const { promise: copied, resolve, reject } = Promise.withResolvers<void>()
      const sink = out.entry(header, (error) => { if (error instanceof Error) reject(error); else resolve() })
      sink.on('error', reject)
      entry.pipe(sink)
      await copied
      waiting++
      if (waiting > MAX_WAITING) await new Promise<void>((resolve) => { wake = resolve })
    }
    if (tally.entries === 0) throw invalidField('body', '', 'is an archive without entries')
    out.finalize()
  }
  copy().catch((error: Error) => { out.destroy(error) })
  return Readable.from(translated(), { objectMode: false })

  async function * translated (): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of out as AsyncIterable<Buffer>) {
        yield chunk
        waiting = 0
        wake()
      }
    } catch (caught) {
      // Read late, a stream that has failed only says that it is gone.
      const error = failure ?? caught
      if (isDockApiError(error) || !/tar|header|end of data|size mismatch/i.test((error as Error).message)) throw error
      throw invalidField('body', '', 'is no plain tar archive, or a damaged one', 'Send an unpacked tar, such as tar -c . makes it.')
    }
  }
}

/** @returns A function that takes the headers of one archive in order and gives what to write for each. */
function createCheck (owner: Owner) {
  const files = new Set<string>()
  const links = new Set<string>()
  let kept = 0

  function keep (names: Set<string>, name: string) {
    kept += name.length
    if (kept > MAX_KEPT_LENGTH) throw new DockApiError('body_too_large', 'The archive has too many long names.')
    names.add(name)
  }

  return (header: Header): Partial<Header> & { name: string } => {
    const name = checkName(header, header.name)
    const common = { name, mode: header.mode & PERMISSIONS, mtime: header.mtime, ...headerOf(owner) }
    if (parentsOf(name).some((parent) => links.has(parent))) throw refused(header, 'lies beneath a link of the same archive')
    if (Object.keys((header.pax ?? {}) as object).some((key) => key.startsWith('GNU.sparse.'))) throw refused(header, 'is a sparse file')
    if ((header.type === 'symlink' || header.type === 'link') && header.size > 0) throw refused(header, 'is a link that has content')
    switch (header.type) {
      case 'file':
        keep(files, name)
        return { ...common, type: 'file', size: header.size }
      case 'directory':
        return { ...common, type: 'directory' }
      case 'symlink':
        keep(links, name)
        return { ...common, type: 'symlink', linkname: checkTarget(header, name) }
      case 'link':
        if (!files.has(checkName(header, header.linkname))) throw refused(header, `is a link to "${header.linkname}", which is no file before it in the archive`)
        keep(files, name)
        return { ...common, type: 'link', linkname: checkName(header, header.linkname) }
      default:
        throw refused(header, 'is neither a file, nor a folder, nor a link')
    }
  }
}

/** A place below the folder; `.` is the folder itself. */
function checkName (header: Header, name: string): string {
  if (name === '' || name.length > MAX_NAME_LENGTH) throw refused(header, `has no name, or one of more than ${MAX_NAME_LENGTH} characters`)
  if (name.includes('\0') || name.includes('\uFFFD')) throw refused(header, 'has a name that is not UTF-8')
  if (name.startsWith('/')) throw refused(header, 'has an absolute name')
  if (name.split('/').includes('..')) throw refused(header, 'has ".." in its name')
  return posix.normalize(name).replace(/\/$/, '')
}

/** A link may lead down, or up and then down, but never out. `..` behind a name is refused: what it means depends on where that name leads. */
function checkTarget (header: Header, name: string): string {
  const { linkname: target } = header
  const parts = (target ?? '').split('/').filter((part) => part !== '' && part !== '.')
  const up = parts.findIndex((part) => part !== '..')
  const climbs = up === -1 ? parts.length : up
  if (target === null || target === '' || target.includes('\0') || target.includes('\uFFFD') || target.length > MAX_NAME_LENGTH) throw refused(header, 'is a link to nothing that can be written')
  if (target.startsWith('/') || parts.slice(climbs).includes('..') || climbs > parentsOf(name).length) throw refused(header, `is a link that leads out of the folder, to "${target}"`)
  return target
}

/** `a`, `a/b` for `a/b/c`. */
function parentsOf (name: string): string[] {
  const parts = name.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

function refused ({ name }: Header, why: string): DockApiError {
  return invalidField('body', '', `the entry "${name.slice(0, 200)}" ${why}`, 'Leave it out of the archive. Only files, folders and links that stay within are unpacked.')
}
