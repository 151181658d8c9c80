import type { ContainerDocument } from '../engine/containers.ts'
import { DockApiError, isDockApiError } from '../errors.ts'
import type { Tombstone } from '../../schemas/tombstones.ts'
import type { Containers } from './containers.ts'

/** A container, or what is kept of it once it is gone. */
export type FoundOrRemoved = { document: ContainerDocument } | { tombstone: Tombstone }

/**
 * A container that is there comes before one that is gone, whatever they have in common.
 * @throws DockApiError `container_not_found`, `ambiguous_id`.
 */
export async function findOrRemoved (containers: Containers, reference: string, signal?: AbortSignal): Promise<FoundOrRemoved> {
  try {
    return { document: await containers.find(reference, signal) }
  } catch (error) {
    if (!isDockApiError(error, 'container_not_found')) throw error
    const tombstone = await containers.tombstones.find(reference, containers.isVisible)
    if (tombstone === undefined) throw error
    return { tombstone }
  }
}

/** @throws DockApiError `container_removed` with the tombstone, `container_not_found`, `ambiguous_id`. */
export async function findOrTell (containers: Containers, reference: string, signal?: AbortSignal): Promise<ContainerDocument> {
  const found = await findOrRemoved(containers, reference, signal)
  if ('document' in found) return found.document
  throw new DockApiError('container_removed', `The container "${found.tombstone.name}" is gone${endOf(found.tombstone)}.`, { details: { tombstone: found.tombstone } })
}

function endOf ({ exit_code: exitCode, oom_killed: isOom }: Tombstone): string {
  if (isOom) return ': it ran out of memory'
  return exitCode === null ? '' : `: it ended with exit code ${exitCode}`
}
