import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { DockApiError } from '../errors.ts'
import type { Engine } from './engine.ts'
import { translateEngineError } from './errors.ts'
import type { Modem } from './modem.ts'

export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

export type WaitOptions = { timeoutMs: number, signal?: AbortSignal | undefined }

/**
 * Begins to wait for a container. Resolves as soon as the engine waits (it sends the head of its answer then, API 1.30), so that a
 * container that is started afterwards cannot end unseen.
 * @returns The exit code to come; it rejects with `engine_timeout` after `timeoutMs`.
 */
export async function beginWait (engine: Engine, id: string, condition: WaitCondition, { timeoutMs, signal }: WaitOptions): Promise<{ exitCode: Promise<number> }> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const ended = AbortSignal.any([deadline, ...(signal === undefined ? [] : [signal])])
  const failure = (error: unknown) => {
    const cause = error instanceof DockApiError && ended.aborted ? error.cause : error
    return translateEngineError(cause, { operation: 'containers.wait', isTimeout: deadline.aborted, isAborted: signal?.aborted ?? false, notFound: 'container_not_found' })
  }
  try {
    const response = await engine.open('containers.wait', (docker, abortSignal) => dialWait((docker as unknown as { modem: Modem }).modem, id, condition, abortSignal),
      { signal: ended, notFound: 'container_not_found' })
    const exitCode = json(addAbortSignal(ended, response)).then((answer) => (answer as { StatusCode: number }).StatusCode, (error: unknown) => { throw failure(error) })
    exitCode.catch(() => {})
    return { exitCode }
  } catch (error) {
    throw ended.aborted ? failure(error) : error
  }
}

/** Resolves with the exit code. */
export async function waitForContainer (engine: Engine, id: string, condition: WaitCondition, options: WaitOptions): Promise<number> {
  return await (await beginWait(engine, id, condition, options)).exitCode
}

/** dockerode's own `wait` answers with the whole body only. */
function dialWait (modem: Modem, id: string, condition: WaitCondition, abortSignal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    modem.dial({ path: `/containers/${id}/wait?`, method: 'POST', options: { _query: { condition } }, statusCodes: { 200: true }, isStream: true, abortSignal },
      (error, result) => { if (error === null) resolve(result as Readable); else reject(error) })
  })
}
