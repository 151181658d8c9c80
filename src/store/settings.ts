import type { Store } from './store.ts'

/** What kinds of things the gateway keeps, each with a history of its own. */
export type SettingKind = 'route' | 'override' | 'middleware'

export type SettingVersion = {
  version: number
  /** Null: it was taken away. */
  document: object | null
  /** The version whose document this one brought back. */
  restoredFrom: number | null
  changedAt: number
  changedBy: string
}

export type Setting = { kind: SettingKind, id: string, version: number, document: object }

/** Documents under a name, of which every earlier version is kept for a while. */
export type SettingsTable = {
  /** All that are there now. */
  list (): Setting[]
  /** The newest first. */
  versions (kind: SettingKind, id: string): SettingVersion[]
  /** Adds a version. @returns Its number. */
  put (kind: SettingKind, id: string, version: Omit<SettingVersion, 'version' | 'changedAt'>): number
}

/** Versions that are kept of one document. */
const KEPT_VERSIONS = 100

type Row = { kind: SettingKind, id: string, version: number, document: string | null, restored_from: number | null, changed_at: number, changed_by: string }

export function createSettingsTable ({ database, transaction }: Store): SettingsTable {
  const selectNewest = database.prepare(`
    SELECT kind, id, version, document FROM settings AS newest
    WHERE document IS NOT NULL AND version = (SELECT max(version) FROM settings WHERE kind = newest.kind AND id = newest.id) ORDER BY kind, id`)
  const selectVersions = database.prepare('SELECT * FROM settings WHERE kind = ? AND id = ? ORDER BY version DESC')
  const insert = database.prepare(`
    INSERT INTO settings (kind, id, version, document, restored_from, changed_at, changed_by)
    SELECT :kind, :id, coalesce(max(version), 0) + 1, :document, :restoredFrom, :changedAt, :changedBy FROM settings WHERE kind = :kind AND id = :id
    RETURNING version`)
  const deleteOld = database.prepare('DELETE FROM settings WHERE kind = ? AND id = ? AND version <= ?')

  return {
    list: () => (selectNewest.all() as Row[]).map(({ kind, id, version, document }) => ({ kind, id, version, document: JSON.parse(document!) as object })),
    versions: (kind, id) => (selectVersions.all(kind, id) as Row[]).map(describe),
    put: (kind, id, { document, restoredFrom, changedBy }) => transaction(() => {
      const { version } = insert.get({ kind, id, document: document === null ? null : JSON.stringify(document), restoredFrom, changedAt: Date.now(), changedBy }) as Pick<Row, 'version'>
      deleteOld.run(kind, id, version - KEPT_VERSIONS)
      return version
    })
  }
}

function describe ({ version, document, restored_from: restoredFrom, changed_at: changedAt, changed_by: changedBy }: Row): SettingVersion {
  return { version, document: document === null ? null : JSON.parse(document) as object, restoredFrom, changedAt, changedBy }
}
