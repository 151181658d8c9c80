import { fitsLabels, UNRESTRICTED } from '../auth/grant.ts'
import type { Grant } from '../auth/grant.ts'
import type { Config } from '../config/schema.ts'
import { listContainers } from '../engine/containers.ts'
import type { ContainerDocument, ContainerSummary } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import type { Upstream } from '../forward/upstream.ts'
import type { Pulls } from '../images/pulls.ts'
import type { Policy } from '../policy/policy.ts'
import type { Tombstones } from '../lifecycle/tombstones.ts'
import type { EventWatch } from '../engine/event-stream.ts'
import { resolveUpstream } from './address.ts'
import { isInScope } from './labels.ts'
import { findContainer, listVisible } from './lookup.ts'
import type { Visibility } from './lookup.ts'
import { createUpstreamCache } from './upstream-cache.ts'
import { detectVantage } from './vantage.ts'
import type { Vantage } from './vantage.ts'

export type ContainersConfig = Pick<Config, 'scope' | 'network' | 'publishHost' | 'memory' | 'cpus' | 'pids' | 'maxUpload' | 'capDrop' | 'maxMemory' | 'maxCpus' | 'maxPids' | 'maxContainers'>

/** The containers that exist for the API, or for one who calls it: one lookup for every door (DESIGN section 7). */
export type Containers = {
  readonly engine: Engine
  /** What a container gets that asks for nothing is never more than the server and the grant allow. */
  readonly config: ContainersConfig
  /** To what these are narrowed. */
  readonly grant: Grant
  readonly pulls: Pulls
  readonly policy: Policy
  readonly tombstones: Tombstones

  /** The same as somebody with this grant sees them: what does not fit it does not exist. */
  as (grant: Grant): Containers

  /** Whether a container with these labels exists here. */
  isVisible: Visibility

  /**
   * The engine's document of a container in scope.
   * @param reference Full id, exact name or unique prefix.
   * @throws DockApiError `container_not_found`, `ambiguous_id`.
   */
  find (reference: string, signal?: AbortSignal): Promise<ContainerDocument>

  /** Every container in scope, in one engine call. */
  list (filters: { label?: string[], status?: string[] }, signal?: AbortSignal): Promise<ContainerSummary[]>

  /**
   * The address at which a container is reached now; kept while the engine's events say that nothing changed.
   * @param options `port`: a port of the container other than its main one.
   * @throws DockApiError `container_not_found`, `ambiguous_id`, `upstream_not_running`, `no_port`, `upstream_failed`.
   */
  upstream (reference: string, options?: { port?: number | undefined }): Promise<Upstream>

  /** The same for a document that is at hand. */
  upstreamOf (document: ContainerDocument, port?: number): Promise<Upstream>

  /** The same for as many ports as one likes, as dockAPI sees containers from where it runs now. */
  addressing (): Promise<(document: ContainerDocument, port?: number) => Upstream>

  /**
   * Tells that a container joined a network or left one.
   * @returns Whether it is the one that dockAPI runs in: then any container may be reached elsewhere, or not at all, from now on.
   */
  noteNetworkOf (containerId: string): boolean

  /** Whether any container of the engine, in scope or not, publishes this port of the host now. */
  isPublishedPort (port: number): Promise<boolean>

  /** Begins to follow the engine's events; until then, and while they do not arrive, no address is kept. */
  start (): void

  /** Ends what `start` began. Idempotent. */
  close (): void
}

export function createContainers (engine: Engine, { pulls, policy, tombstones }: Pick<Containers, 'pulls' | 'policy' | 'tombstones'>, config: ContainersConfig): Containers {
  const closing = new AbortController()
  let events: EventWatch | undefined
  let vantage: Promise<Vantage> | undefined
  let ownId: string | undefined
  let publishedPorts: Promise<Set<number>> | undefined
  const cache = createUpstreamCache(() => events?.isLive ?? false)

  function forget () {
    vantage = undefined
    publishedPorts = undefined
    cache.forget()
  }

  function start () {
    events ??= engine.events.watch({
      onEvent (event) {
        if (event.type === 'network') forget()
        else cache.note(event)
      },
      onGap: forget,
      onLost: forget,
      signal: closing.signal
    })
  }

  /** Asked once; a failed answer is asked for again. */
  function currentVantage (): Promise<Vantage> {
    vantage ??= detectVantage(engine).then((found) => {
      ownId = found.kind === 'container' ? found.id : undefined
      return found
    }, (error: unknown) => {
      vantage = undefined
      throw error
    })
    return vantage
  }

  function noteNetworkOf (containerId: string) {
    if (containerId !== ownId) return false
    forget()
    return true
  }

  async function isPublishedPort (port: number) {
    const asked = publishedPorts ?? listPublishedPorts(engine)
    publishedPorts = events?.isLive === true ? asked : undefined
    asked.catch(() => { publishedPorts = undefined })
    return (await asked).has(port)
  }

  async function addressing () {
    const vantage = await currentVantage()
    return (document: ContainerDocument, port?: number) => resolveUpstream(document, { port, vantage, preferredNetwork: config.network })
  }

  async function upstreamOf (document: ContainerDocument, port?: number) {
    return (await addressing())(document, port)
  }

  const views = new WeakMap<Grant, Containers>()

  function viewOf (grant: Grant): Containers {
    const known = views.get(grant)
    if (known !== undefined) return known
    const isVisible: Visibility = (labels) => isInScope(labels, config.scope) && fitsLabels(grant, labels)
    // Addresses are kept for each selector: what one may reach, another may not even know of.
    const viewer = grant.labels === undefined ? '' : JSON.stringify(grant.labels)
    const view: Containers = {
      engine,
      config: narrow(config, grant),
      grant,
      pulls,
      policy,
      tombstones,
      as: viewOf,
      isVisible,
      find: (reference, signal) => findContainer(engine, isVisible, reference, signal),
      list: (filters, signal) => listVisible(engine, isVisible, signal, filters),
      upstreamOf,
      addressing,
      noteNetworkOf,
      isPublishedPort,
      upstream: (reference, { port } = {}) => cache.get(`${reference}:${port ?? ''}${viewer}`, async () => upstreamOf(await findContainer(engine, isVisible, reference), port)),
      start,
      close: () => closing.abort()
    }
    views.set(grant, view)
    return view
  }

  return viewOf(UNRESTRICTED)
}

function narrow (config: ContainersConfig, { limits = {} }: Grant): ContainersConfig {
  return {
    ...config,
    memory: Math.min(config.memory, config.maxMemory ?? Infinity, limits.memory ?? Infinity),
    cpus: Math.min(config.cpus, config.maxCpus ?? Infinity, limits.cpus ?? Infinity),
    pids: Math.min(config.pids, config.maxPids ?? Infinity)
  }
}

async function listPublishedPorts (engine: Engine): Promise<Set<number>> {
  const all = await listContainers(engine)
  return new Set(all.flatMap(({ Ports }) => Ports.map(({ PublicPort }) => PublicPort)))
}
