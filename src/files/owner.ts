import { text } from 'node:stream/consumers'
import type { Header } from 'tar-stream'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { isDockApiError } from '../errors.ts'
import { openFile } from './read.ts'
import { findPath } from './stat.ts'

export type Owner = { uid: number, gid: number }

/** tar-stream writes six octal digits. */
const MAX_HEADER_ID = 0o777777
/** A larger file is no list of users. */
const MAX_LIST_BYTES = 1024 ** 2

/**
 * The user that a container runs as, by number: `user[:group]`, names looked up in the container's own `/etc/passwd` and `/etc/group`. Root where they do not tell.
 * The engine's own `copyUIDGID` looks names and numbers up on its machine, and fails for those that are not there (seen on Docker 20.10).
 */
export async function ownerOf (engine: Engine, document: ContainerDocument, signal: AbortSignal): Promise<Owner> {
  const [user = '', group] = document.Config.User.split(':')
  if (user === '') return { uid: 0, gid: 0 }
  if (isNumber(user) && group !== undefined && isNumber(group)) return { uid: Number(user), gid: Number(group) }
  const entry = (await readList(engine, document, '/etc/passwd', signal)).find(([name, , uid]) => name === user || uid === user)
  const uid = isNumber(user) ? Number(user) : numberOf(entry?.[2])
  if (group === undefined) return { uid, gid: numberOf(entry?.[3]) }
  if (isNumber(group)) return { uid, gid: Number(group) }
  const groups = await readList(engine, document, '/etc/group', signal)
  return { uid, gid: numberOf(groups.find(([name]) => name === group)?.[2]) }
}

/** The owner in the header of a tar's entry: numbers that are too large for it stand in an extended one (POSIX pax). */
export function headerOf ({ uid, gid }: Owner): Partial<Header> {
  return { uid, gid, ...(Math.max(uid, gid) > MAX_HEADER_ID ? { pax: { uid: String(uid), gid: String(gid) } } : {}) }
}

async function readList (engine: Engine, document: ContainerDocument, path: string, signal: AbortSignal): Promise<string[][]> {
  try {
    const found = await findPath(engine, document, path, signal)
    if (found.entry.type !== 'file' || found.entry.size > MAX_LIST_BYTES) return []
    const { content } = await openFile(engine, document.Id, found, signal)
    return (await text(content)).split('\n').map((line) => line.split(':'))
  } catch (error) {
    if (isDockApiError(error, 'path_not_found')) return []
    throw error
  }
}

function numberOf (text: string | undefined): number {
  return text !== undefined && isNumber(text) ? Number(text) : 0
}

function isNumber (text: string): boolean {
  return /^\d{1,10}$/.test(text)
}
