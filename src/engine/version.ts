import { DockApiError } from '../errors.ts'

/** The engine API that this code was written against, and the oldest that has all it needs (Docker 19.03). */
export const NEWEST_API = '1.51'
export const OLDEST_API = '1.40'

/**
 * The version to speak: the engine's newest or ours, whichever is older. Never none, never a fixed one.
 * @param range What the engine speaks; `oldest` is undefined where it does not tell.
 * @throws DockApiError `engine_unavailable` when there is no version that both speak.
 */
export function negotiateVersion ({ newest, oldest }: { newest: string, oldest: string | undefined }): string {
  const range = oldest === undefined ? newest : `${oldest} to ${newest}`
  if (compare(newest, OLDEST_API) < 0) throw incompatible(range, 'Update the engine: Docker 19.03 or newer, or Podman 3 or newer.')
  if (oldest !== undefined && compare(oldest, NEWEST_API) > 0) throw incompatible(range, 'Update dockAPI: this engine is newer than what it knows.')
  return compare(newest, NEWEST_API) < 0 ? newest : NEWEST_API
}

export function isApiVersion (text: unknown): text is string {
  return typeof text === 'string' && /^\d+\.\d+$/.test(text)
}

function compare (left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number)
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number)
  return leftMajor - rightMajor || leftMinor - rightMinor
}

function incompatible (range: string, hint: string): DockApiError {
  return new DockApiError('engine_unavailable', `The engine speaks API ${range}; dockAPI speaks ${OLDEST_API} to ${NEWEST_API}.`, { hint })
}
