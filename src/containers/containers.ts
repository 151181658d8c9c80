import type { Config } from '../config/schema.ts'
import { listContainers } from '../engine/containers.ts'
import type { ContainerDocument, ContainerSummary } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import type { Upstream } from '../forward/upstream.ts'
import type { Pulls } from '../images/pulls.ts'
import type { Tombstones } from '../lifecycle/tombstones.ts'
import { watchEvents } from '../engine/events.ts'
import type { EventWatch } from '../engine/events.ts'
import { resolveUpstream } from './address.ts'
import { isInScope } from './labels.ts'
import { findContainer, listInScope } from './lookup.ts'
import { createUpstreamCache } from './upstream-cache.ts'
import { detectVantage } from './vantage.ts'
import type { Vantage } from './vantage.ts'

export type ContainersConfig = Pick<Config, 'scope' | 'network' | 'publishHost' | 'memory' | 'cpus' | 'pids' | 'volumeRoots'>

/** The containers that exist for the API: one lookup for every door (DESIGN section 7). */
export type Containers = {
  readonly engine: Engine
  readonly config: ContainersConfig
  readonly pulls: Pulls
  readonly tombstones: Tombstones

  /** Whether a container with these labels exists here. */
  isVisible (labels: Readonly<Record<string, string>> | null | undefined): boolean

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

  /** Whether any container of the engine, in scope or not, publishes this port of the host now. */
  isPublishedPort (port: number): Promise<boolean>

  /** Begins to follow the engine's events; until then, and while they do not arrive, no address is kept. */
  start (): void

  /** Ends what `start` began. Idempotent. */
  close (): void
}

export function createContainers (engine: Engine, pulls: Pulls, config: ContainersConfig, tombstones: Tombstones): Containers {
  const closing = new AbortController()
  let events: EventWatch | undefined
  let vantage: Promise<Vantage> | undefined
  let publishedPorts: Promise<Set<number>> | undefined
  const cache = createUpstreamCache(() => events?.isLive ?? false)

  function forget () {
    vantage = undefined
    publishedPorts = undefined
    cache.forget()
  }

  function start () {
    events ??= watchEvents(engine, {
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
    vantage ??= detectVantage(engine).catch((error: unknown) => {
      vantage = undefined
      throw error
    })
    return vantage
  }

  async function isPublishedPort (port: number) {
    const asked = publishedPorts ?? listPublishedPorts(engine)
    publishedPorts = events?.isLive === true ? asked : undefined
    asked.catch(() => { publishedPorts = undefined })
    return (await asked).has(port)
  }

  async function upstreamOf (document: ContainerDocument, port?: number) {
    return resolveUpstream(document, { port, vantage: await currentVantage(), preferredNetwork: config.network })
  }

  return {
    engine,
    config,
    pulls,
    tombstones,
    isVisible: (labels) => isInScope(labels, config.scope),
    find: (reference, signal) => findContainer(engine, config.scope, reference, signal),
    list: (filters, signal) => listInScope(engine, config.scope, signal, filters),
    upstreamOf,
    isPublishedPort,
    upstream: (reference, { port } = {}) => cache.get(`${reference}:${port ?? ''}`, async () => upstreamOf(await findContainer(engine, config.scope, reference), port)),
    start,
    close: () => closing.abort()
  }
}

async function listPublishedPorts (engine: Engine): Promise<Set<number>> {
  const all = await listContainers(engine)
  return new Set(all.flatMap(({ Ports }) => Ports.map(({ PublicPort }) => PublicPort)))
}
