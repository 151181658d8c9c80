import { parseMoment } from '../streams/logs.ts'
import { visible } from '../visible.ts'
import type { AuditTable } from '../store/audit.ts'
import type { AuditEntry, AuditQuery } from '../../schemas/audit.ts'

/** What became of a change; the trail gives it its id. */
export type AuditRecord = Omit<AuditEntry, 'id'>

/** Who changed what, for as long as it is kept. */
export type Trail = {
  /** Writes one entry to the log and to the store. Never throws: a disk that is full undoes no change. */
  record (entry: AuditRecord): void
  /**
   * The last first.
   * @throws DockApiError `invalid_request` for a moment that is none.
   */
  list (query: AuditQuery): { entries: AuditEntry[], nextCursor: number | undefined }
  /** Forgets what is too old or too much. Never throws. */
  prune (): void
}

export type TrailOptions = {
  table: AuditTable
  /** How long entries are kept, in days; 0 keeps none. */
  keepDays: number
  /** Writes the entry to the log. */
  log? (entry: AuditRecord): void
  /** An entry could not be kept, or not be forgotten. */
  onFailure? (error: unknown): void
  /** Unix milliseconds. */
  now? (): number
}

const DAY_MS = 86_400_000
/** However long they are kept: some 60 MB. */
const MOST = 100_000
const MOST_OF_NOBODY = 10_000
/** The longest text that somebody else may put into an entry. */
const MAX_TEXT = 512

export function createTrail ({ table, keepDays, log, onFailure, now = Date.now }: TrailOptions): Trail {
  function record (given: AuditRecord) {
    const entry = plain(given)
    log?.(entry)
    if (keepDays === 0) return
    try {
      table.add(entry)
    } catch (error) {
      onFailure?.(error)
    }
  }

  function list ({ limit, cursor, since, until, ...filter }: AuditQuery) {
    const momentMs = (text: string | undefined, pointer: string) => text === undefined ? undefined : Number(parseMoment(text, pointer, now())) * 1000
    const found = table.list({ ...filter, sinceMs: momentMs(since, '/since'), untilMs: momentMs(until, '/until'), beforeId: cursor }, limit + 1)
    const entries = found.slice(0, limit)
    return { entries, nextCursor: found.length > limit ? entries.at(-1)!.id : undefined }
  }

  function prune () {
    try {
      table.prune(now() - keepDays * DAY_MS, MOST, MOST_OF_NOBODY)
    } catch (error) {
      onFailure?.(error)
    }
  }

  return { record, list, prune }
}

/** Names, references and images are what a caller or an image wrote. */
function plain (entry: AuditRecord): AuditRecord {
  const { container, image, subject } = entry
  return { ...entry, container: shown(container), image: shown(image), subject: shown(subject) }
}

function shown (text: string | null): string | null {
  return text === null ? null : visible(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)
}
