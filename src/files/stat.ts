import { openArchive, statPath } from '../engine/archives.ts'
import type { PathStat } from '../engine/archives.ts'
import type { Engine } from '../engine/engine.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import { DockApiError, isDockApiError } from '../errors.ts'
import type { FileEntry } from '../../schemas/files.ts'

/** What is at a path, links followed. */
export type Found = { path: string, entry: FileEntry }

/** Bits of Go's `os.FileMode` (package io/fs), the first that is set names the type. */
const TYPES: ReadonlyArray<readonly [bit: number, type: FileEntry['type']]> = [
  [31, 'directory'], [27, 'symlink'], [25, 'fifo'], [24, 'socket'], [21, 'character_device'], [26, 'block_device']
]
const SPECIAL_BITS = [[23, 0o4000], [22, 0o2000], [20, 0o1000]] as const
const MAX_LINKS = 10

/**
 * @throws DockApiError `path_not_found`, also for a link that leads nowhere.
 */
export async function findPath (engine: Engine, document: ContainerDocument, path: string, signal?: AbortSignal): Promise<Found> {
  let at = path
  for (let links = 0; links <= MAX_LINKS; links++) {
    const stat = await statPath(engine, document.Id, at, { signal }).catch(async (error: unknown) => { throw await explain(engine, error, document, path) })
    const entry = entryOf(stat)
    if (entry.type !== 'symlink' || stat.linkTarget === '') return { path: at, entry }
    at = stat.linkTarget
  }
  throw new DockApiError('path_not_found', `"${path}" is a link that leads in a circle.`)
}

function entryOf ({ name, size, mode, mtime, linkTarget }: PathStat): FileEntry {
  const type = TYPES.find(([bit]) => hasBit(mode, bit))?.[1] ?? 'file'
  return { name, type, size: type === 'file' ? size : 0, mode: formatMode(modeOf(mode)), mtime: new Date(mtime).toISOString(), link_target: linkTarget === '' ? null : linkTarget }
}

/** Permissions as `chmod` writes them. */
export function formatMode (mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0')
}

function modeOf (mode: number): number {
  return SPECIAL_BITS.reduce((bits, [bit, value]) => hasBit(mode, bit) ? bits | value : bits, mode & 0o777)
}

/** Bit 31 is beyond what the bitwise operators of JavaScript keep positive. */
function hasBit (mode: number, bit: number): boolean {
  return Math.floor(mode / 2 ** bit) % 2 === 1
}

/** The engine's answer to a HEAD has no words, and what lies beneath a file is a failure to it: the same is asked in a way that has them. */
async function explain (engine: Engine, error: unknown, { Id, Name }: ContainerDocument, path: string): Promise<unknown> {
  if (!isDockApiError(error) || (error.code !== 'path_not_found' && error.code !== 'engine_error')) return error
  const told = error.code === 'path_not_found' ? error : await reasonOf(engine, Id, path, error)
  if (told.code !== 'path_not_found' && !/: not a directory$/.test(told.message)) return told
  return new DockApiError('path_not_found', `There is no "${path}" in the container "${Name.slice(1)}".`, { cause: error })
}

async function reasonOf (engine: Engine, id: string, path: string, error: DockApiError): Promise<DockApiError> {
  const asking = new AbortController()
  try {
    await openArchive(engine, id, path, { signal: asking.signal })
    return error
  } catch (told) {
    return told instanceof DockApiError ? told : error
  } finally {
    asking.abort()
  }
}
