import type { ContainerSummary } from '../engine/containers.ts'
import { removeContainer } from '../engine/containers.ts'
import { isDockApiError } from '../errors.ts'
import { LABELS } from './labels.ts'
import type { Containers } from './containers.ts'

export type LifetimeOptions = {
  /** Wraps the removal, such as in a drain of the gateway. */
  end (id: string, remove: () => Promise<void>): Promise<void>
  /** Told what came of each, unless somebody else was quicker. */
  onEnd (container: ContainerSummary, error: unknown): void
  signal: AbortSignal
}

/**
 * Removes what has outlived the time that its token gave it, with its anonymous volumes. The time is a label: it holds through restarts, and
 * the id keeps a namesake that was made meanwhile.
 * @returns How many went.
 */
export async function removeExpired (containers: Containers, { end, onEnd, signal }: LifetimeOptions, nowMs = Date.now()): Promise<number> {
  const dated = await containers.list({ label: [LABELS.expiresAt, `${LABELS.managed}=true`] }, signal)
  const expired = dated.filter(({ Labels }) => Date.parse(Labels[LABELS.expiresAt]!) <= nowMs)
  const remove = async (id: string) => {
    await containers.tombstones.keep(id)
    await removeContainer(containers.engine, id, { isForced: true, withVolumes: true })
  }
  const removals = await Promise.allSettled(expired.map(async (container) => {
    const { Id: id } = container
    await end(id, () => remove(id)).then(() => { onEnd(container, undefined) }, (error: unknown) => {
      if (!isGone(error)) onEnd(container, error)
      throw error
    })
  }))
  const failed = removals.find((removal) => removal.status === 'rejected' && !isGone(removal.reason))
  if (failed?.status === 'rejected') throw failed.reason
  return expired.length
}

/** Somebody else was quicker, or is at it. */
function isGone (error: unknown): boolean {
  return isDockApiError(error, 'container_not_found') || isDockApiError(error, 'engine_conflict')
}
