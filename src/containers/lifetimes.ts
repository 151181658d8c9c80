import { removeContainer } from '../engine/containers.ts'
import { isDockApiError } from '../errors.ts'
import { LABELS } from './labels.ts'
import type { Containers } from './containers.ts'

/**
 * Removes what has outlived the time that its token gave it, with its anonymous volumes. The time is a label: it holds through restarts, and
 * the id keeps a namesake that was made meanwhile.
 * @param end Wraps the removal, such as in a drain of the gateway.
 * @returns How many went.
 */
export async function removeExpired (containers: Containers, end: (id: string, remove: () => Promise<void>) => Promise<void>, signal: AbortSignal, nowMs = Date.now()): Promise<number> {
  const dated = await containers.list({ label: [LABELS.expiresAt, `${LABELS.managed}=true`] }, signal)
  const expired = dated.filter(({ Labels }) => Date.parse(Labels[LABELS.expiresAt]!) <= nowMs)
  const remove = async (id: string) => {
    await containers.tombstones.keep(id)
    await removeContainer(containers.engine, id, { isForced: true, withVolumes: true })
  }
  const removals = await Promise.allSettled(expired.map(({ Id: id }) => end(id, () => remove(id))))
  const failed = removals.find((removal) => removal.status === 'rejected' && !isGone(removal.reason))
  if (failed?.status === 'rejected') throw failed.reason
  return expired.length
}

/** Somebody else was quicker, or is at it. */
function isGone (error: unknown): boolean {
  return isDockApiError(error, 'container_not_found') || isDockApiError(error, 'engine_conflict')
}
