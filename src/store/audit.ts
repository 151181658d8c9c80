import type { AuditEntry } from '../../schemas/audit.ts'
import type { Store } from './store.ts'

/** What entries are searched for; what is left out does not matter. */
export type AuditFilter = {
  principal?: string | undefined
  operation?: string | undefined
  /** Name, full id, or at least 12 characters of it. */
  container?: string | undefined
  /** `ok`, `failed` (anything else), or the code of an error. */
  result?: string | undefined
  /** Unix milliseconds; from then on, and before then. */
  sinceMs?: number | undefined
  untilMs?: number | undefined
  /** Only entries that were written before this one. */
  beforeId?: number | undefined
}

export type AuditTable = {
  /** @returns The entry's id; later ones are greater. */
  add (entry: Omit<AuditEntry, 'id'>): number
  /** The last written first. */
  list (filter: AuditFilter, limit: number): AuditEntry[]
  /** Forgets what is older, and the oldest beyond `most`; of strangers' (`nobody`) beyond `mostOfNobody`, so that nobody can push out the rest by being refused. */
  prune (beforeMs: number, most: number, mostOfNobody: number): void
}

const WHERE = `
  (:principal IS NULL OR principal = :principal)
  AND (:operation IS NULL OR operation = :operation)
  AND (:container IS NULL OR container = :container OR container_id = :container OR (length(:container) >= 12 AND substr(container_id, 1, length(:container)) = :container))
  AND (:result IS NULL OR result = :result OR (:result = 'failed' AND result <> 'ok'))
  AND (:since IS NULL OR asked_at >= :since)
  AND (:until IS NULL OR asked_at < :until)
  AND (:before IS NULL OR id < :before)`

export function createAuditTable ({ database, transaction }: Store): AuditTable {
  const insert = database.prepare('INSERT INTO audit (asked_at, principal, operation, container_id, container, result, document) VALUES (?, ?, ?, ?, ?, ?, ?)')
  // A search reads the index alone, which is a fifth of the table: the gateway waits for it in the same process.
  const select = database.prepare(`SELECT id, document FROM audit WHERE id IN (SELECT id FROM audit INDEXED BY audit_columns WHERE ${WHERE} ORDER BY id DESC LIMIT :limit) ORDER BY id DESC`)
  const expire = database.prepare('DELETE FROM audit WHERE asked_at < ?')
  const limitAll = database.prepare('DELETE FROM audit WHERE id <= (SELECT id FROM audit ORDER BY id DESC LIMIT 1 OFFSET ?)')
  const limitNobody = database.prepare("DELETE FROM audit WHERE principal = 'nobody' AND id <= (SELECT id FROM audit WHERE principal = 'nobody' ORDER BY id DESC LIMIT 1 OFFSET ?)")

  return {
    add (entry) {
      const { time, principal, operation, container_id: containerId, container, result } = entry
      return Number(insert.run(Date.parse(time), principal, operation, containerId, container, result, JSON.stringify(entry)).lastInsertRowid)
    },
    list ({ principal = null, operation = null, container = null, result = null, sinceMs = null, untilMs = null, beforeId = null }, limit) {
      const rows = select.all({ principal, operation, container, result, since: sinceMs, until: untilMs, before: beforeId, limit }) as Array<{ id: number, document: string }>
      return rows.map(({ id, document }) => ({ id, ...JSON.parse(document) as Omit<AuditEntry, 'id'> }))
    },
    prune (beforeMs, most, mostOfNobody) {
      transaction(() => {
        expire.run(beforeMs)
        limitNobody.run(mostOfNobody)
        limitAll.run(most)
      })
    }
  }
}
