import type { SettingVersion as Row } from '../store/settings.ts'
import type { SettingVersion } from '../../schemas/routes.ts'

/** A version as the API tells it. */
export function versionOf ({ version, document, restoredFrom, changedAt, changedBy }: Row): SettingVersion {
  return { version, document, restored_from: restoredFrom, changed_at: new Date(changedAt).toISOString(), changed_by: changedBy }
}
