import { removeContainer, stopContainer } from '../engine/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { isDockApiError } from '../errors.ts'

/** The container's own grace, in seconds: the deadline of the call that stops it must be longer. */
export function stopTimeoutOf (document: ContainerDocument): number | undefined {
  return (document.Config as { StopTimeout?: number }).StopTimeout
}

/** Gives a container its grace to end, then removes it. One that the engine removes by itself when it ends (`auto_remove`) is success. */
export async function stopAndRemove (engine: Engine, document: ContainerDocument): Promise<void> {
  try {
    await stopContainer(engine, document.Id, { graceSeconds: stopTimeoutOf(document) })
    await removeContainer(engine, document.Id, { isForced: true })
  } catch (error) {
    const isLeaving = document.HostConfig.AutoRemove === true && (isDockApiError(error, 'container_not_found') || isDockApiError(error, 'engine_conflict'))
    if (!isLeaving) throw error
  }
}
