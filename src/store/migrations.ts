/**
 * How the tables came to be, in order. Entries are only ever added: each runs once on every store, and `user_version` says how far one is.
 * Times are Unix milliseconds, documents JSON.
 */
export const MIGRATIONS: readonly string[] = [
  // What is kept of containers that are gone (tombstones.ts). The log is in the engine's frames.
  `CREATE TABLE tombstones (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, ended_at INTEGER NOT NULL, removed_at INTEGER,
    is_tty INTEGER NOT NULL, document TEXT NOT NULL, log BLOB NOT NULL
  ) STRICT;
  CREATE INDEX tombstones_by_name ON tombstones (name)`
]
