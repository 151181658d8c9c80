import type Docker from 'dockerode'
import { definedOf } from '../defined.ts'
import type { Judged } from '../policy/judged.ts'
import type { CallOptions, Engine } from './engine.ts'

/** One entry of the engine's container list. */
export type ContainerSummary = Docker.ContainerInfo
/** The engine's whole document of a container. Secrets may stand in its environment. */
export type ContainerDocument = Docker.ContainerInspectInfo
/** The object that is sent to the engine to make a container, once `src/policy` has judged it. */
export type ContainerSpec = Omit<Docker.ContainerCreateOptions, 'name' | 'platform'>

export type ListFilters = { label?: string[], status?: string[] }

/** How long a stop may take beyond the grace that the container is given, in milliseconds. */
const STOP_MARGIN_MS = 10_000
/** Docker's own grace before it kills (docker CLI reference, `docker stop --timeout`), in seconds. */
const DEFAULT_GRACE_SECONDS = 10
/** Creating and starting pull nothing, but a busy disk takes its time. */
const CREATE_TIMEOUT_MS = 60_000

/** All containers, running and not, in one call. */
export function listContainers (engine: Engine, filters: ListFilters = {}, options?: CallOptions): Promise<ContainerSummary[]> {
  return engine.call('containers.list', (docker, abortSignal) => docker.listContainers({ all: true, filters, abortSignal }), options)
}

/** @param reference Full id, unique prefix or name: the engine resolves it. */
export function inspectContainer (engine: Engine, reference: string, options?: CallOptions): Promise<ContainerDocument> {
  return engine.call('containers.inspect', (docker, abortSignal) => docker.getContainer(reference).inspect({ abortSignal }), { notFound: 'container_not_found', ...options })
}

/** Makes a container and returns its id; `image_not_local` when the engine lacks the image. */
export async function createContainer (engine: Engine, spec: Judged<ContainerSpec>, query: { name?: string | undefined, platform?: string | undefined }, options?: CallOptions): Promise<string> {
  // dockerode repeats the options of a create in the query string, secrets of the environment included, unless told apart.
  const request = { _query: definedOf(query), _body: spec } as unknown as Docker.ContainerCreateOptions
  const container = await engine.call('containers.create', (docker, abortSignal) => docker.createContainer({ ...request, abortSignal }),
    { timeoutMs: CREATE_TIMEOUT_MS, notFound: 'image_not_local', ...options })
  return container.id
}

/** Starts it; one that runs already is success. */
export async function startContainer (engine: Engine, id: string, options?: CallOptions): Promise<void> {
  await engine.call('containers.start', (docker, abortSignal) => unlessUnchanged(docker.getContainer(id).start({ abortSignal })),
    { timeoutMs: CREATE_TIMEOUT_MS, notFound: 'container_not_found', ...options })
}

export type StopOptions = {
  /** Grace before the kill, in seconds; the container's own when left out. */
  graceSeconds?: number | undefined
  signal?: string | undefined
}

/** Stops it; one that is stopped already is success. `signal` needs engine API 1.42 and is ignored by older engines. */
export async function stopContainer (engine: Engine, id: string, { graceSeconds, signal }: StopOptions = {}, options?: CallOptions): Promise<void> {
  await engine.call('containers.stop', (docker, abortSignal) => unlessUnchanged(docker.getContainer(id).stop({ ...definedOf({ t: graceSeconds, signal }), abortSignal })),
    { timeoutMs: (graceSeconds ?? DEFAULT_GRACE_SECONDS) * 1000 + STOP_MARGIN_MS, notFound: 'container_not_found', ...options })
}

export async function restartContainer (engine: Engine, id: string, { graceSeconds, signal }: StopOptions = {}, options?: CallOptions): Promise<void> {
  await engine.call('containers.restart', (docker, abortSignal) => docker.getContainer(id).restart({ ...definedOf({ t: graceSeconds, signal }), abortSignal }),
    { timeoutMs: (graceSeconds ?? DEFAULT_GRACE_SECONDS) * 1000 + STOP_MARGIN_MS + CREATE_TIMEOUT_MS, notFound: 'container_not_found', ...options })
}

export async function killContainer (engine: Engine, id: string, signal: string, options?: CallOptions): Promise<void> {
  await engine.call('containers.kill', (docker, abortSignal) => docker.getContainer(id).kill({ signal, abortSignal }), { notFound: 'container_not_found', ...options })
}

export async function pauseContainer (engine: Engine, id: string, options?: CallOptions): Promise<void> {
  await engine.call('containers.pause', (docker, abortSignal) => docker.getContainer(id).pause({ abortSignal }), { notFound: 'container_not_found', ...options })
}

export async function unpauseContainer (engine: Engine, id: string, options?: CallOptions): Promise<void> {
  await engine.call('containers.unpause', (docker, abortSignal) => docker.getContainer(id).unpause({ abortSignal }), { notFound: 'container_not_found', ...options })
}

export async function renameContainer (engine: Engine, id: string, name: string, options?: CallOptions): Promise<void> {
  await engine.call('containers.rename', (docker, abortSignal) => docker.getContainer(id).rename({ name, abortSignal }), { notFound: 'container_not_found', ...options })
}

export type ContainerChanges = Pick<Docker.HostConfig, 'Memory' | 'MemorySwap' | 'NanoCpus' | 'PidsLimit' | 'RestartPolicy'>

export async function updateContainer (engine: Engine, id: string, changes: Judged<ContainerChanges>, options?: CallOptions): Promise<void> {
  await engine.call('containers.update', (docker, abortSignal) => docker.getContainer(id).update({ ...changes, abortSignal }), { notFound: 'container_not_found', ...options })
}

export async function removeContainer (engine: Engine, id: string, { isForced = false, withVolumes = false } = {}, options?: CallOptions): Promise<void> {
  await engine.call('containers.remove', (docker, abortSignal) => docker.getContainer(id).remove({ force: isForced, v: withVolumes, abortSignal }),
    { timeoutMs: 60_000, notFound: 'container_not_found', ...options })
}

/** Joins one more network; the engine takes one at the create. */
export async function connectNetwork (engine: Engine, id: string, network: string, options?: CallOptions): Promise<void> {
  await engine.call('networks.connect', (docker, abortSignal) => docker.getNetwork(network).connect({ Container: id, abortSignal } as Docker.NetworkConnectOptions), { notFound: 'network_not_found', ...options })
}

/** The engine answers 304 where nothing had to change, and dockerode calls that an error. */
async function unlessUnchanged (answer: Promise<unknown>): Promise<void> {
  try {
    await answer
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode !== 304) throw error
  }
}
