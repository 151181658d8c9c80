import { setTimeout as sleep } from 'node:timers/promises'
import { DockApiError, isDockApiError } from '../errors.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Containers } from './containers.ts'
import { askLastWords } from './last-words.ts'
import type { LastWords } from './last-words.ts'
import { probeHttp, probeTcp } from './probe.ts'
import type { ProbeResult } from './probe.ts'

export type ReadinessOptions = {
  /** Checked by `checkHealthPath`. Without it the image's HEALTHCHECK decides, or else a TCP connection to the port. */
  healthPath?: string | undefined
  timeoutMs: number
  /** What was heard of a container that nobody can ask once it has ended (`listenForLastWords`). */
  tellLastWords?: (() => Promise<LastWords>) | undefined
  /** Ends the wait, not the container. */
  signal?: AbortSignal | undefined
}

const FIRST_DELAY_MS = 25
const LONGEST_DELAY_MS = 250
const DELAY_GROWTH = 1.5
/** A container in one of these states does not run again by itself. */
const ENDED_STATES = new Set(['exited', 'dead', 'removing'])

/**
 * Waits until the application in a started container is ready: looks at once, then quickly, then every 250 ms. Each look
 * asks the engine first, so a container that ended ends the wait, and a restarted one is probed at its new address.
 * @returns The document of the last look.
 * @throws DockApiError `container_exited` or `not_ready` with id, state, exit_code, last_probe and log_tail; `client_gone`.
 */
export async function waitUntilReady (containers: Containers, document: ContainerDocument, { healthPath, timeoutMs, tellLastWords, signal }: ReadinessOptions): Promise<ContainerDocument> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const ended = AbortSignal.any([deadline, ...(signal === undefined ? [] : [signal])])
  const lastWords = async (isEnded: boolean) => isEnded && tellLastWords !== undefined ? await tellLastWords() : await askLastWords(containers.engine, document.Id)
  let last: ProbeResult = { isReady: false, detail: 'not probed yet' }
  try {
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(delayMs * DELAY_GROWTH, LONGEST_DELAY_MS)) {
      const current = await containers.find(document.Id, ended)
      if (ENDED_STATES.has(current.State.Status)) throw exited(current, last, await lastWords(true))
      last = await look(containers, current, healthPath, ended)
      if (last.isReady) return current
      await sleep(delayMs, undefined, { signal: ended })
    }
  } catch (error) {
    if (isDockApiError(error, 'container_exited')) throw error
    if (signal?.aborted ?? false) throw new DockApiError('client_gone', 'The client went away.', { cause: error })
    if (deadline.aborted) throw notReady(document, timeoutMs, last, await lastWords(false))
    if (isDockApiError(error, 'container_not_found')) throw exited(document, last, await lastWords(true))
    throw error
  }
}

async function look (containers: Containers, document: ContainerDocument, healthPath: string | undefined, signal: AbortSignal): Promise<ProbeResult> {
  const health = document.State.Health?.Status
  if (healthPath === undefined && health !== undefined && health !== 'none') {
    return { isReady: health === 'healthy', detail: `HEALTHCHECK says ${health}${healthOutput(document)}` }
  }
  try {
    const upstream = await containers.upstreamOf(document)
    return healthPath === undefined ? await probeTcp(upstream, signal) : await probeHttp(upstream, healthPath, signal)
  } catch (error) {
    if (isDockApiError(error, 'upstream_not_running')) return { isReady: false, detail: error.message }
    throw error
  }
}

function healthOutput (document: ContainerDocument): string {
  const output = document.State.Health?.Log?.at(-1)?.Output.trim() ?? ''
  return output === '' ? '' : `: ${output.slice(0, 500)}`
}

function exited (document: ContainerDocument, last: ProbeResult, words: LastWords) {
  const code = words.exit_code === null ? '' : ` with code ${words.exit_code}`
  return new DockApiError('container_exited', `The container "${document.Name.slice(1)}" ended${code} before it was ready.`, { details: { id: document.Id, last_probe: last.detail, ...words } })
}

function notReady (document: ContainerDocument, timeoutMs: number, last: ProbeResult, words: LastWords) {
  return new DockApiError('not_ready', `The container "${document.Name.slice(1)}" was not ready after ${timeoutMs / 1000} seconds: ${last.detail}.`, { details: { id: document.Id, last_probe: last.detail, ...words } })
}
