import { DockApiError } from '../errors.ts'

/** SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: no room for the index of the write-ahead log (sqlite.org, "Result and Extended Result Codes"). */
const SQLITE_FULL: ReadonlySet<unknown> = new Set([13, 4874])

/** Whether the store failed because its disk has no room. */
export function isStoreFull (error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown, errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' ? SQLITE_FULL.has(errcode) : code === 'ENOSPC'
}

/** What is told of it. What was to be written is not there, in no part. */
export function explainStoreFull (cause: unknown): DockApiError {
  return new DockApiError('disk_full', 'The disk of dockAPI\'s data folder is full: nothing of this was kept.', { hint: 'Make room on the disk of DOCKAPI_DATA_DIR, then send it again.', cause })
}
