import { isDockApiError } from '../errors.ts'
import type { Engine } from '../engine/engine.ts'
import { openAttach } from '../engine/attach.ts'
import { createContainer, inspectContainer, removeContainer, startContainer } from '../engine/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import { collectOutput } from '../streams/output.ts'
import type { CollectedOutput } from '../streams/output.ts'
import type { RunRequest } from '../../schemas/run.ts'
import type { Containers } from './containers.ts'
import { checkCombination, judgedSpec, mainPort, permitRequest } from './draft.ts'
import { imageReference, withPull } from './image.ts'
import type { PortRule } from './image.ts'
import { listenForLastWords } from './last-words.ts'
import type { LastWords } from './last-words.ts'
import { waitUntilReady } from './readiness.ts'
import { withName } from './names.ts'
import { takePlace } from './places.ts'
import { startOrRemove } from './start-or-remove.ts'
import { beginWaitForExit } from './wait.ts'

export type RunOutcome = {
  document: ContainerDocument
  /** False when `if_exists: reuse` found the container. */
  isNew: boolean
  warnings: string[]
  /** With `detach: false`. */
  exit?: CollectedOutput & { exitCode: number }
}

export type RunOptions = {
  /** How the main port is found when the request names none; `only` when left out. */
  portRule?: PortRule | undefined
  /** Told the full id as soon as the container is made, before it is started. */
  onCreated?: ((id: string) => void) | undefined
}

const READY_SECONDS = 30
/** Docker's own (Dockerfile reference, HEALTHCHECK). */
const HEALTHCHECK_INTERVAL_SECONDS = 30
const EXIT_SECONDS = 600

/**
 * Runs an image: pulls it when it is missing, creates and starts the container, and waits where that was asked for.
 * When creating or starting fails, nothing is left behind. `signal` ends a pull or a wait, never a container.
 * @throws DockApiError naming the field for bad input; `token_restricted`, `policy_denied`; the codes of pull, create and start; those of
 * `waitUntilReady`, for which the container is kept.
 */
export async function runContainer (containers: Containers, request: RunRequest, signal?: AbortSignal, { portRule, onCreated }: RunOptions = {}): Promise<RunOutcome> {
  checkCombination(request)
  permitRequest(containers, request)
  const reference = imageReference(request.image)
  // What can be refused without the image is refused before anything is replaced or pulled.
  await judgedSpec(containers, request, reference, request.container_port, signal)
  const existing = await existingContainer(containers, request, signal)
  if (existing !== undefined) return await waitIfAsked(containers, request, { document: existing, isNew: false, warnings: [] }, signal)

  const id = await create(containers, request, reference, portRule, signal)
  onCreated?.(id)
  return request.detach === false
    ? await runToEnd(containers, request, id, signal)
    : await runDetached(containers, request, id, signal)
}

async function create (containers: Containers, request: RunRequest, reference: string, portRule: PortRule | undefined, signal?: AbortSignal): Promise<string> {
  const giveBack = await takePlace(containers, signal)
  try {
    if (request.pull === 'always') await containers.pulls.pull({ image: reference, platform: request.platform }, { signal })
    const containerPort = await mainPort(containers, request, reference, portRule, signal)
    const spec = await judgedSpec(containers, request, reference, containerPort, signal)
    const make = () => withName(containers, request.name, () => createContainer(containers.engine, spec, { name: request.name, platform: request.platform }))
    return await withPull(containers, reference, request, make, signal)
  } finally {
    giveBack()
  }
}

/** Settles `if_exists`: the container to reuse, or undefined when one is to be made. */
async function existingContainer (containers: Containers, request: RunRequest, signal?: AbortSignal): Promise<ContainerDocument | undefined> {
  if (request.name === undefined || request.if_exists === undefined || request.if_exists === 'fail') return undefined
  const document = await containers.find(request.name, signal).catch((error: unknown) => {
    if (isDockApiError(error, 'container_not_found')) return undefined
    throw error
  })
  if (document === undefined || document.Name !== `/${request.name}`) return undefined
  if (request.if_exists === 'replace') {
    await containers.tombstones.keep(document.Id)
    await removeContainer(containers.engine, document.Id, { isForced: true, withVolumes: true })
    return undefined
  }
  await startContainer(containers.engine, document.Id)
  return await containers.find(document.Id)
}

async function runDetached (containers: Containers, request: RunRequest, id: string, signal?: AbortSignal): Promise<RunOutcome> {
  const { engine } = containers
  const isEphemeral = request.auto_remove === true
  const warnings = isEphemeral && (request.restart_policy ?? 'no') !== 'no'
    ? [`restart_policy "${request.restart_policy}" is ignored: the engine removes the container when it ends (auto_remove).`]
    : []
  const finished = new AbortController()
  try {
    const { created, tellLastWords } = await startOrRemove(engine, id, async () => {
      const created = isEphemeral ? await inspectContainer(engine, id) : undefined
      if (created !== undefined) await containers.tombstones.listen(created)
      const isWaiting = created !== undefined && request.wait_ready === true
      return { created, tellLastWords: isWaiting ? await listenForLastWords(engine, created, finished.signal) : undefined }
    })
    const outcome = { document: await inspectStarted(engine, id, created, warnings), isNew: true, warnings }
    return await waitIfAsked(containers, request, outcome, signal, tellLastWords)
  } finally {
    finished.abort()
  }
}

/** `detach: false`: attaches before the start, so that not a byte is missed, and answers when the container has ended. */
async function runToEnd ({ engine, tombstones }: Containers, request: RunRequest, id: string, signal?: AbortSignal): Promise<RunOutcome> {
  const timeoutMs = (request.wait_timeout ?? EXIT_SECONDS) * 1000
  const finished = new AbortController()
  const ended = AbortSignal.any([finished.signal, ...(signal === undefined ? [] : [signal])])
  try {
    const { created, output, exit } = await startOrRemove(engine, id, async () => {
      const created = await inspectContainer(engine, id)
      if (created.HostConfig.AutoRemove === true) await tombstones.listen(created)
      const output = collectOutput(await openAttach(engine, { id, isTty: created.Config.Tty }, { signal: ended }))
      output.catch(() => {})
      const { exitCode } = await beginWaitForExit(engine, created, 'next-exit', { timeoutMs, signal: ended })
      return { created, output, exit: exitCode }
    })
    const exitCode = await exit
    return { document: await inspectStarted(engine, id, created, []), isNew: true, warnings: [], exit: { ...await output, exitCode } }
  } finally {
    finished.abort()
  }
}

/** A container that removes itself may be gone before it can be looked at: then what was created is told. */
async function inspectStarted (engine: Engine, id: string, created: ContainerDocument | undefined, warnings: string[]): Promise<ContainerDocument> {
  try {
    return await inspectContainer(engine, id)
  } catch (error) {
    if (created === undefined || !isDockApiError(error, 'container_not_found')) throw error
    warnings.push('The container has ended already and was removed (auto_remove).')
    return { ...created, State: { ...created.State, Status: 'exited' } }
  }
}

async function waitIfAsked (containers: Containers, request: RunRequest, outcome: RunOutcome, signal?: AbortSignal, tellLastWords?: () => Promise<LastWords>): Promise<RunOutcome> {
  if (request.wait_ready !== true) return outcome
  const timeoutMs = (request.wait_timeout ?? defaultWaitSeconds(outcome.document, request)) * 1000
  return { ...outcome, document: await waitUntilReady(containers, outcome.document, { healthPath: request.health_path, timeoutMs, tellLastWords, signal }) }
}

/** The engine asks a HEALTHCHECK for the first time after its interval, half a minute unless it says otherwise: the wait must be longer. */
function defaultWaitSeconds ({ Config: { Healthcheck: check } }: ContainerDocument, request: RunRequest): number {
  if (request.health_path !== undefined || check?.Test === undefined || check.Test[0] === 'NONE') return READY_SECONDS
  const interval = check.Interval === undefined || check.Interval === 0 ? HEALTHCHECK_INTERVAL_SECONDS : check.Interval / 1e9
  return READY_SECONDS + interval + (check.StartPeriod ?? 0) / 1e9
}
