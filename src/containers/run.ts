import { DockApiError, invalidField, isDockApiError } from '../errors.ts'
import { openAttach } from '../engine/attach.ts'
import { createContainer, inspectContainer, removeContainer, startContainer } from '../engine/containers.ts'
import type { ContainerDocument, ContainerSpec } from '../engine/containers.ts'
import { pullImage } from '../engine/images.ts'
import { enforce } from '../policy/policy.ts'
import { collectOutput } from '../streams/output.ts'
import type { CollectedOutput } from '../streams/output.ts'
import type { RunRequest } from '../../schemas/run.ts'
import type { Containers } from './containers.ts'
import { checkHealthPath } from './health-path.ts'
import { exposedPort, imageReference, withPull } from './image.ts'
import { waitUntilReady } from './readiness.ts'
import { buildSpec } from './spec.ts'
import { waitForExit } from './wait.ts'

export type RunOutcome = {
  document: ContainerDocument
  /** False when `if_exists: reuse` found the container. */
  isNew: boolean
  warnings: string[]
  /** With `detach: false`. */
  exit?: CollectedOutput & { exitCode: number }
}

const READY_SECONDS = 30
const EXIT_SECONDS = 600
const CLEANUP_TIMEOUT_MS = 30_000

/**
 * Runs an image: pulls it when it is missing, creates and starts the container, and waits where that was asked for.
 * When creating or starting fails, nothing is left behind. `signal` ends a pull or a wait, never a container.
 * @throws DockApiError naming the field for bad input; `policy_denied`; the codes of pull, create and start; those of
 * `waitUntilReady`, for which the container is kept.
 */
export async function runContainer (containers: Containers, request: RunRequest, signal?: AbortSignal): Promise<RunOutcome> {
  checkCombination(request)
  const reference = imageReference(request.image)
  const existing = await existingContainer(containers, request, signal)
  if (existing !== undefined) return await waitIfAsked(containers, request, { document: existing, isNew: false, warnings: [] }, signal)

  const spec = await prepareSpec(containers, request, reference, signal)
  const create = () => createContainer(containers.engine, spec, { name: request.name, platform: request.platform })
  const id = await withPull(containers.engine, reference, request, create, signal)
  const outcome = await startOrRemove(containers, request, id, signal)
  return await waitIfAsked(containers, request, outcome, signal)
}

function checkCombination (request: RunRequest): void {
  if (request.health_path !== undefined) checkHealthPath(request.health_path)
  if (request.wait_ready === true && request.detach === false) {
    throw invalidField('body', '/wait_ready', 'cannot be combined with detach: false', 'Wait for readiness, or for the end, not for both.')
  }
  if (request.if_exists !== undefined && request.if_exists !== 'fail' && request.name === undefined) {
    throw invalidField('body', '/if_exists', 'needs a name')
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
    await removeContainer(containers.engine, document.Id, { isForced: true, withVolumes: true })
    return undefined
  }
  await startContainer(containers.engine, document.Id)
  return await containers.find(document.Id)
}

/** Everything that can be refused without the image is refused before it is pulled. */
async function prepareSpec (containers: Containers, request: RunRequest, reference: string, signal?: AbortSignal): Promise<ContainerSpec> {
  const { engine, config } = containers
  const spec = buildSpec(request, reference, request.container_port, config)
  await enforce(spec, config)
  if (request.pull === 'always') await pullImage(engine, reference, { platform: request.platform, signal })
  if (request.container_port !== undefined) return spec
  const port = await exposedPort(engine, reference, request, signal)
  if (port === undefined && (request.host_port ?? 0) !== 0) {
    throw new DockApiError('no_port', 'host_port is given, but neither container_port nor an exposed port of the image says what to publish.')
  }
  return buildSpec(request, reference, port, config)
}

async function startOrRemove (containers: Containers, request: RunRequest, id: string, signal?: AbortSignal): Promise<RunOutcome> {
  const { engine } = containers
  const warnings = request.auto_remove === true && (request.restart_policy ?? 'no') !== 'no'
    ? [`restart_policy "${request.restart_policy}" is ignored: the engine removes the container when it ends (auto_remove).`]
    : []
  try {
    if (request.detach === false) return { ...await runToEnd(containers, request, id, signal), warnings }
    const created = request.auto_remove === true ? await inspectContainer(engine, id) : undefined
    await startContainer(engine, id)
    return { document: await inspectStarted(containers, id, created, warnings), isNew: true, warnings }
  } catch (error) {
    if (isDockApiError(error, 'still_running') || isDockApiError(error, 'client_gone')) throw error
    throw await removeHalfMade(containers, id, error)
  }
}

/** A container that removes itself may be gone before it can be looked at: then what was created is told. */
async function inspectStarted (containers: Containers, id: string, created: ContainerDocument | undefined, warnings: string[]): Promise<ContainerDocument> {
  try {
    return await inspectContainer(containers.engine, id)
  } catch (error) {
    if (created === undefined || !isDockApiError(error, 'container_not_found')) throw error
    warnings.push('The container has ended already and was removed (auto_remove).')
    return { ...created, State: { ...created.State, Status: 'exited' } }
  }
}

/** Attaches, starts and waits: the answer of `detach: false`. */
async function runToEnd (containers: Containers, request: RunRequest, id: string, signal?: AbortSignal): Promise<Omit<RunOutcome, 'warnings'>> {
  const { engine } = containers
  const timeoutMs = (request.wait_timeout ?? EXIT_SECONDS) * 1000
  const finished = new AbortController()
  const ended = AbortSignal.any([finished.signal, AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])])
  const created = await inspectContainer(engine, id)
  const output = collectOutput(await openAttach(engine, { id, isTty: created.Config.Tty }, { signal: ended }))
  output.catch(() => {})
  const exit = waitForExit(engine, created, 'next-exit', timeoutMs, signal)
  exit.catch(() => {})
  try {
    await startContainer(engine, id)
    const exitCode = await exit
    const document = await inspectStarted(containers, id, created, [])
    return { document, isNew: true, exit: { ...await output, exitCode } }
  } finally {
    finished.abort()
  }
}

/** Frees the name again; a removal that fails too is told, so that nobody is left to find the remains. */
async function removeHalfMade (containers: Containers, id: string, error: unknown): Promise<unknown> {
  try {
    await removeContainer(containers.engine, id, { isForced: true, withVolumes: true }, { timeoutMs: CLEANUP_TIMEOUT_MS })
    return error
  } catch (cleanup) {
    if (isDockApiError(cleanup, 'container_not_found') || !(error instanceof DockApiError)) return error
    return new DockApiError(error.code, `${error.message} The half-made container ${id.slice(0, 12)} could not be removed.`, { details: { ...error.details, id }, cause: error })
  }
}

async function waitIfAsked (containers: Containers, request: RunRequest, outcome: RunOutcome, signal?: AbortSignal): Promise<RunOutcome> {
  if (request.wait_ready !== true) return outcome
  const timeoutMs = (request.wait_timeout ?? READY_SECONDS) * 1000
  return { ...outcome, document: await waitUntilReady(containers, outcome.document, { healthPath: request.health_path, timeoutMs, signal }) }
}
