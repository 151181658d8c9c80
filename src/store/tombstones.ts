import type { Tombstone } from '../../schemas/tombstones.ts'
import type { Store } from './store.ts'

/** A container that has ended: its tombstone, which counts once `removed_at` is set, and the end of its log. */
export type Remains = { tombstone: Tombstone, isTty: boolean, log: Buffer }

export type TombstoneTable = {
  save (remains: Remains): void
  get (id: string): Remains | undefined
  /** Those with this id, this name, or an id that begins so, the last removed first; the ones that may still be there included. */
  match (reference: string): Tombstone[]
  /** Of what is gone, the last removed first. */
  removed (): Tombstone[]
  /** Ids of what was there when it was last seen. */
  pending (): string[]
  /** @returns The tombstone, unless it was marked before or nothing is known of the container. */
  markRemoved (id: string, timeMs: number): Tombstone | undefined
  /** Forgets what was removed before `beforeMs`, and the oldest beyond `most`. */
  prune (beforeMs: number, most: number): void
}

type Row = { document: string, removed_at: number | null }

export function createTombstoneTable ({ database }: Store): TombstoneTable {
  // Bytes of length 0 are bound as NULL.
  const insert = database.prepare("INSERT OR REPLACE INTO tombstones (id, name, ended_at, removed_at, is_tty, document, log) VALUES (?, ?, ?, ?, ?, ?, coalesce(?, x''))")
  const one = database.prepare('SELECT document, removed_at, is_tty, log FROM tombstones WHERE id = ?')
  const matching = database.prepare('SELECT document, removed_at FROM tombstones WHERE id = :reference OR name = :reference OR substr(id, 1, length(:reference)) = :reference ORDER BY coalesce(removed_at, ended_at) DESC')
  const gone = database.prepare('SELECT document, removed_at FROM tombstones WHERE removed_at IS NOT NULL ORDER BY removed_at DESC')
  const waiting = database.prepare('SELECT id FROM tombstones WHERE removed_at IS NULL')
  const mark = database.prepare('UPDATE tombstones SET removed_at = ? WHERE id = ? AND removed_at IS NULL')
  const expire = database.prepare('DELETE FROM tombstones WHERE removed_at < ?')
  const limit = database.prepare('DELETE FROM tombstones WHERE id NOT IN (SELECT id FROM tombstones ORDER BY coalesce(removed_at, ended_at) DESC LIMIT ?)')

  function get (id: string): Remains | undefined {
    const row = one.get(id) as Row & { is_tty: number, log: Uint8Array } | undefined
    return row === undefined ? undefined : { tombstone: tombstoneOf(row), isTty: row.is_tty === 1, log: Buffer.from(row.log) }
  }

  return {
    save ({ tombstone, isTty, log }) {
      const removedAt = tombstone.removed_at === null ? null : Date.parse(tombstone.removed_at)
      const endedAt = Date.parse(tombstone.finished_at ?? tombstone.removed_at ?? new Date().toISOString())
      insert.run(tombstone.id, tombstone.name, endedAt, removedAt, isTty ? 1 : 0, JSON.stringify(tombstone), log)
    },
    get,
    match: (reference) => (matching.all({ reference }) as Row[]).map(tombstoneOf),
    removed: () => (gone.all() as Row[]).map(tombstoneOf),
    pending: () => (waiting.all() as Array<{ id: string }>).map(({ id }) => id),
    markRemoved: (id, timeMs) => mark.run(timeMs, id).changes === 0 ? undefined : get(id)?.tombstone,
    prune (beforeMs, most) {
      expire.run(beforeMs)
      limit.run(most)
    }
  }
}

function tombstoneOf ({ document, removed_at: removedAt }: Row): Tombstone {
  return { ...JSON.parse(document) as Tombstone, removed_at: removedAt === null ? null : new Date(removedAt).toISOString() }
}
