import { DockApiError, isDockApiError } from '../errors.ts'
import { waitForContainer } from '../engine/containers.ts'
import type { ContainerDocument, WaitCondition } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'

/**
 * Waits for the end of a container and returns its exit code. `signal` ends the wait, not the container.
 * @throws DockApiError `still_running` after `timeoutMs`; `client_gone`.
 */
export async function waitForExit (engine: Engine, document: ContainerDocument, condition: WaitCondition, timeoutMs: number, signal?: AbortSignal): Promise<number> {
  try {
    return await waitForContainer(engine, document.Id, condition, { timeoutMs, signal })
  } catch (error) {
    if (!isDockApiError(error, 'engine_timeout')) throw error
    throw new DockApiError('still_running', `The container "${document.Name.slice(1)}" had not ended after ${timeoutMs / 1000} seconds.`, { details: { id: document.Id }, cause: error })
  }
}
