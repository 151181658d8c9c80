import { removeContainer, startContainer } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { DockApiError, isDockApiError } from '../errors.ts'

const CLEANUP_TIMEOUT_MS = 30_000

/** Prepares and starts a container that was made; when either fails the container is removed, and its name is free again. */
export async function startOrRemove<T> (engine: Engine, id: string, prepare: () => Promise<T>): Promise<T> {
  try {
    const prepared = await prepare()
    await startContainer(engine, id)
    return prepared
  } catch (error) {
    throw await removeHalfMade(engine, id, error)
  }
}

/** Frees the name again; a removal that fails too is told, so that nobody is left to find the remains. */
async function removeHalfMade (engine: Engine, id: string, error: unknown): Promise<unknown> {
  try {
    await removeContainer(engine, id, { isForced: true, withVolumes: true }, { timeoutMs: CLEANUP_TIMEOUT_MS })
    return error
  } catch (cleanup) {
    if (isDockApiError(cleanup, 'container_not_found') || !(error instanceof DockApiError)) return error
    return new DockApiError(error.code, `${error.message} The half-made container ${id.slice(0, 12)} could not be removed.`, { details: { ...error.details, id }, cause: error })
  }
}
