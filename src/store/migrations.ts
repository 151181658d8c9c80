/**
 * How the tables came to be, in order. Entries are only ever added: each runs once on every store, and `user_version` says how far one is.
 * Times are Unix milliseconds, documents JSON.
 */
export const MIGRATIONS: readonly string[] = [
  // What the gateway was told through the API, every version of it (settings.ts).
  `CREATE TABLE settings (
    kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, document TEXT, restored_from INTEGER,
    changed_at INTEGER NOT NULL, changed_by TEXT NOT NULL, PRIMARY KEY (kind, id, version)
  ) STRICT, WITHOUT ROWID`,
  // What is signed with, made here and never shown (secrets.ts).
  'CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT'
]
