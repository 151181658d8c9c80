import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isStoreFull } from './store-full.ts'
import { MIGRATIONS } from './migrations.ts'

/** The data folder that keeps nothing: everything is forgotten when the process ends. */
export const IN_MEMORY = 'memory'

/** What the engine's labels cannot keep (DESIGN section 3): one SQLite file. Each table has a file of its own beside this one. */
export type Store = {
  /** Only for the files of this folder. */
  readonly database: DatabaseSync
  /** Runs `work` as one transaction: all of it is kept, or, when it throws, nothing. Not to be nested. */
  transaction<T> (work: () => T): T
  /** Idempotent. */
  close (): void
}

/** Why the data folder cannot be used, as a sentence with the way out. */
export class StoreError extends Error {
  constructor (dataDir: string, cause: unknown) {
    const isFull = isStoreFull(cause)
    const reason = isFull ? 'its disk is full' : (cause as Error).message
    super(`The data folder ${dataDir} cannot be used: ${reason}. ${isFull ? 'Make room there, or set' : 'Set'} DOCKAPI_DATA_DIR to a folder that this user may write, or to "${IN_MEMORY}" to keep nothing.`, { cause })
    this.name = 'StoreError'
  }
}

const FILE = 'dockapi.sqlite'
/** How long a write waits for another process that holds the file, in milliseconds. */
const BUSY_MS = 2_000

/**
 * Opens the store, makes the folder (for this user only) and the file where they are missing, and brings its tables up to date.
 * @param dataDir A folder, or `memory`.
 * @throws StoreError when the folder cannot be used, or a newer dockAPI wrote the file.
 */
export function openStore (dataDir: string): Store {
  try {
    return open(dataDir)
  } catch (error) {
    throw new StoreError(dataDir, error)
  }
}

function open (dataDir: string): Store {
  const database = new DatabaseSync(dataDir === IN_MEMORY ? ':memory:' : prepareFile(dataDir), { timeout: BUSY_MS })
  // Write-ahead logging: a reader never waits for a writer, and a crash loses no transaction that was committed.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON')
  const store: Store = {
    database,
    transaction (work) {
      database.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        database.exec('COMMIT')
        return result
      } catch (error) {
        // Of a disk that is full SQLite ends the transaction itself (sqlite.org, "Response To Errors Within A Transaction").
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    close () { if (database.isOpen) database.close() }
  }
  try {
    migrate(store)
  } catch (error) {
    store.close()
    throw error
  }
  return store
}

function prepareFile (dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, FILE)
  // For this user only, also in a folder that others may read; SQLite gives its other files the mode of this one.
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
  return file
}

/** SQLite's `user_version` counts the migrations that ran. */
function migrate (store: Store): void {
  const { database } = store
  const versionOf = () => (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
  if (versionOf() > MIGRATIONS.length) throw new Error(`${FILE} was written by a newer dockAPI`)
  if (versionOf() === MIGRATIONS.length) return
  store.transaction(() => {
    for (const sql of MIGRATIONS.slice(versionOf())) database.exec(sql)
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
  })
}
