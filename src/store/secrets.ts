import { randomBytes } from 'node:crypto'
import type { Store } from './store.ts'

const BYTES = 32

/** A secret of this installation, made when it is first asked for and kept. */
export function secretOf ({ database, transaction }: Store, name: string): Buffer {
  return transaction(() => {
    database.prepare('INSERT OR IGNORE INTO secrets (name, value) VALUES (?, ?)').run(name, randomBytes(BYTES))
    const { value } = database.prepare('SELECT value FROM secrets WHERE name = ?').get(name) as { value: Uint8Array }
    return Buffer.from(value)
  })
}
