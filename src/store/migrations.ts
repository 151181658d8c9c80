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
  'CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT',
  // Who may call (tokens.ts). A revoked token leaves its row: DOCKAPI_AUTH=auto must not open the API again when the last one goes.
  `CREATE TABLE tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, rights TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER, last_used_at INTEGER, revoked_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_at IS NULL`,
  // What is kept of containers that are gone (tombstones.ts). The log is in the engine's frames.
  `CREATE TABLE tombstones (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, ended_at INTEGER NOT NULL, removed_at INTEGER,
    is_tty INTEGER NOT NULL, document TEXT NOT NULL, log BLOB NOT NULL
  ) STRICT;
  CREATE INDEX tombstones_by_name ON tombstones (name)`,
  // Who changed what (audit.ts). The columns are what is searched for; the document has it all.
  `CREATE TABLE audit (
    id INTEGER PRIMARY KEY, asked_at INTEGER NOT NULL, principal TEXT NOT NULL, operation TEXT NOT NULL,
    container_id TEXT, container TEXT, result TEXT NOT NULL, document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_by_time ON audit (asked_at);
  CREATE INDEX audit_columns ON audit (id, asked_at, principal, operation, container_id, container, result)`
]
