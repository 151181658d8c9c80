import type { Store } from './store.ts'

/** A token as it is kept: of the secret only its digest. Times are Unix milliseconds. */
export type TokenRow = {
  id: string
  name: string
  digest: Uint8Array
  /** JSON. */
  rights: string
  created_at: number
  expires_at: number | null
  last_used_at: number | null
}

export type TokenRows = {
  /** Counts the changes that other processes made to the store. */
  version (): number
  /** Whether there is or ever was one. */
  exist (): boolean
  list (): TokenRow[]
  byName (name: string): TokenRow | undefined
  byId (id: string): TokenRow | undefined
  insert (row: TokenRow): void
  /** @returns False when it was not there. */
  revoke (name: string, atMs: number): boolean
  noteUse (id: string, atMs: number): void
}

const COLUMNS = 'id, name, digest, rights, created_at, expires_at, last_used_at'

export function createTokenRows ({ database }: Store): TokenRows {
  const statements = {
    version: database.prepare('PRAGMA data_version'),
    exist: database.prepare('SELECT EXISTS (SELECT 1 FROM tokens) AS found'),
    list: database.prepare(`SELECT ${COLUMNS} FROM tokens WHERE revoked_at IS NULL ORDER BY name`),
    byName: database.prepare(`SELECT ${COLUMNS} FROM tokens WHERE name = ? AND revoked_at IS NULL`),
    byId: database.prepare(`SELECT ${COLUMNS} FROM tokens WHERE id = ? AND revoked_at IS NULL`),
    insert: database.prepare('INSERT INTO tokens (id, name, digest, rights, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)'),
    revoke: database.prepare("UPDATE tokens SET revoked_at = ?, digest = x'' WHERE name = ? AND revoked_at IS NULL"),
    noteUse: database.prepare('UPDATE tokens SET last_used_at = ? WHERE id = ?')
  }
  return {
    version: () => (statements.version.get() as { data_version: number }).data_version,
    exist: () => (statements.exist.get() as { found: number }).found === 1,
    list: () => statements.list.all() as TokenRow[],
    byName: (name) => statements.byName.get(name) as TokenRow | undefined,
    byId: (id) => statements.byId.get(id) as TokenRow | undefined,
    insert: ({ id, name, digest, rights, created_at: createdAt, expires_at: expiresAt }) => { statements.insert.run(id, name, digest, rights, createdAt, expiresAt) },
    revoke: (name, atMs) => statements.revoke.run(atMs, name).changes > 0,
    noteUse: (id, atMs) => { statements.noteUse.run(atMs, id) }
  }
}
