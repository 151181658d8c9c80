import { DockApiError, isDockApiError } from '../errors.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { beginWait } from '../engine/waiting.ts'
import type { WaitCondition, WaitOptions } from '../engine/waiting.ts'

/**
 * Begins to wait for the end of a container; resolves when the engine waits. `signal` ends the wait, not the container.
 * @returns The exit code to come; it rejects with DockApiError `still_running` after `timeoutMs`, `client_gone`.
 */
export async function beginWaitForExit (engine: Engine, document: ContainerDocument, condition: WaitCondition, options: WaitOptions): Promise<{ exitCode: Promise<number> }> {
  const stillRunning = (error: unknown) => {
    if (!isDockApiError(error, 'engine_timeout')) return error
    return new DockApiError('still_running', `The container "${document.Name.slice(1)}" had not ended after ${options.timeoutMs / 1000} seconds.`, { details: { id: document.Id }, cause: error })
  }
  try {
    const begun = await beginWait(engine, document.Id, condition, options)
    const exitCode = begun.exitCode.catch((error: unknown) => { throw stillRunning(error) })
    exitCode.catch(() => {})
    return { exitCode }
  } catch (error) {
    throw stillRunning(error)
  }
}

/** The exit code of a container that ends. @throws as `beginWaitForExit`. */
export async function waitForExit (engine: Engine, document: ContainerDocument, condition: WaitCondition, options: WaitOptions): Promise<number> {
  return await (await beginWaitForExit(engine, document, condition, options)).exitCode
}
