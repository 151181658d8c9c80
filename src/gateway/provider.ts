import type { Containers } from '../containers/containers.ts'
import { inspectContainer, listContainers } from '../engine/containers.ts'
import type { ContainerSummary } from '../engine/containers.ts'
import { withinTime } from '../engine/deadline.ts'
import type { EventWatch } from '../engine/event-stream.ts'
import type { EngineEvent } from '../engine/events.ts'
import { isDockApiError } from '../errors.ts'
import { isExposed } from './exposure.ts'
import type { Expose } from './exposure.ts'
import { createImageLabels } from './image-labels.ts'
import { waitUntilOpen } from './opening.ts'
import { describeContainer } from './routed-container.ts'
import type { RoutedContainer } from './routed-container.ts'
import { isEndingSignal } from './signals.ts'

/** What the engine tells of the containers that are exposed, kept up to date. */
export type Provider = {
  /** Whether every container has been looked at once. */
  readonly isLoaded: boolean
  /** Resolves when that is so. */
  readonly loaded: Promise<void>
  /** Events arrive and nothing may have been missed: an address that is known belongs to its container. */
  readonly isCurrent: boolean
  /** While it is not current: asks the engine, for a moment, whether what is known of a container still holds. */
  confirm (id: string): Promise<void>
  get (id: string): RoutedContainer | undefined
  /** Begins to follow the engine. */
  start (): void
  /** Asks the engine about one container now. Resolves when the answer is known, or cannot be had. */
  refresh (id: string): Promise<void>
  /** Begins to ask. */
  look (id: string): void
  /** Takes a container out of rotation until its next run, or puts it back. */
  setDraining (id: string, isDraining: boolean): void
  close (): void
}

export type ProviderOptions = {
  expose: Expose
  /** Called with all containers after each change, once all are known. @param changed The one that changed; undefined when more may have. */
  onChange (containers: readonly RoutedContainer[], changed: string | undefined): void
  /** How often everything is compared with the engine's list, in milliseconds. */
  reconcileMs?: number
}

type Look = { isOutdated: boolean, done: Promise<void> }

const RECONCILE_MS = 30_000
/** How soon a comparison that failed is made again, in milliseconds. */
const RETRY_MS = 500
/** Inspections at the same time when many containers are new. */
const BATCH = 8
/** How long a container that was sent an ending signal may live on before it gets requests again, in milliseconds: longer than docker's own grace. */
const SURVIVAL_MS = 15_000
/** The longest wait of a request for the engine's word on an address, in milliseconds. */
const CONFIRM_MS = 1_000
/** How long an engine that gave none is not asked again, in milliseconds. */
const SILENT_MS = 5_000

/**
 * Follows the engine's events, and looks only at what changed. The events come first and the list after, so that nothing falls between;
 * after a gap the list tells what is different. While the engine is away, what was known last stays.
 */
export function createProvider (source: Containers, { expose, onChange, reconcileMs = RECONCILE_MS }: ProviderOptions): Provider {
  const { engine } = source
  const known = new Map<string, RoutedContainer>()
  const fingerprints = new Map<string, string>()
  const looks = new Map<string, Look>()
  const lines = new Map<string, { current: Promise<void>, next: Promise<void> | undefined }>()
  const closing = new AbortController()
  const imageLabels = createImageLabels(engine, closing.signal)
  let events: EventWatch | undefined
  let timer: NodeJS.Timeout | undefined
  let reconciling: Promise<void> | undefined
  let isOutdated = false
  const { promise: loaded, resolve: setLoaded } = Promise.withResolvers<void>()
  let isLoaded = false
  let hasGap = true
  let silentUntil = 0

  function start () {
    events ??= engine.events.watch({ onEvent, onGap: reconcile, onLost: () => { hasGap = true }, signal: closing.signal })
    timer ??= setInterval(reconcile, reconcileMs).unref()
  }

  /** One at a time; a call while one runs makes it run once more. */
  function reconcile () {
    isOutdated = true
    reconciling ??= compare().finally(() => { reconciling = undefined })
  }

  async function compare () {
    while (isOutdated && !closing.signal.aborted) {
      isOutdated = false
      const isHeard = events?.isLive === true
      try {
        await compareWithList(await listContainers(engine, {}, { signal: closing.signal }))
        const isFirst = !isLoaded
        isLoaded = true
        if (isHeard && events?.isLive === true) hasGap = false
        if (isFirst) publish()
        setLoaded()
      } catch {
        // The engine is away: the events' own return brings the next comparison. While they arrive it is only not quite back.
        if (events?.isLive === true) setTimeout(reconcile, RETRY_MS).unref()
      }
    }
  }

  async function compareWithList (summaries: readonly ContainerSummary[]) {
    const listed = new Map(summaries.filter(({ Labels }) => isExposed(Labels, expose)).map((summary) => [summary.Id, fingerprintOf(summary)]))
    const gone = [...known.keys()].filter((id) => !listed.has(id))
    const changed = [...listed].filter(([id, fingerprint]) => fingerprints.get(id) !== fingerprint || !known.has(id))
    const ids = [...gone, ...changed.map(([id]) => id)]
    for (let index = 0; index < ids.length; index += BATCH) await Promise.all(ids.slice(index, index + BATCH).map(refresh))
    for (const [id, fingerprint] of changed) if (known.has(id)) fingerprints.set(id, fingerprint)
  }

  function onEvent ({ type, action, id, attributes }: EngineEvent) {
    if (type === 'network') {
      const { container } = attributes
      if (container !== undefined) lookAfterNetwork(container)
      return
    }
    if (!known.has(id) && !isExposed(attributes, expose)) return
    // What an inspection under way will tell may be older than this event.
    const running = looks.get(id)
    if (running !== undefined) running.isOutdated = true
    take(action, id, attributes)
  }

  /** A container joined a network or left one. */
  function lookAfterNetwork (id: string) {
    if (known.has(id)) look(id)
    if (source.noteNetworkOf(id)) for (const each of known.keys()) look(each)
  }

  /** What an event says by itself is believed at once: a container that died must not be sent one more request. */
  function take (action: string, id: string, attributes: Record<string, string>) {
    if (action === 'die') patch(id, { status: 'exited', isOpen: false })
    else if (action === 'destroy') forget(id)
    else if (action === 'pause') patch(id, { status: 'paused' })
    else if (action === 'rename') patch(id, { name: (attributes.name ?? '').replace(/^\//, '') })
    else if (action === 'kill') drainIfEnding(id, attributes.signal ?? '')
    else if (action.startsWith('health_status: ')) patch(id, { health: action.slice('health_status: '.length) })
    else if (action === 'create' || action === 'start' || action === 'unpause') look(id)
  }

  /** The engine tells of the signal as it sends it. */
  function drainIfEnding (id: string, signal: string) {
    const container = known.get(id)
    if (container === undefined || !isEndingSignal(signal, container.stopSignal)) return
    setDraining(id, true)
    setTimeout(() => { if (known.get(id)?.run === container.run) setDraining(id, false) }, SURVIVAL_MS).unref()
  }

  function setDraining (id: string, isDraining: boolean) {
    patch(id, { isDraining })
  }

  function refresh (id: string): Promise<void> {
    const running = looks.get(id)
    if (running !== undefined) {
      running.isOutdated = true
      return running.done
    }
    const look: Look = { isOutdated: true, done: Promise.resolve() }
    looks.set(id, look)
    look.done = inspectUntilFresh(id, look).finally(() => { looks.delete(id) })
    return look.done
  }

  /** A daemon that hangs starts no container either: it is not waited for twice in a while. */
  async function confirm (id: string) {
    if (performance.now() < silentUntil) return
    let isAnswered = false
    await withinTime(lookAnew(id).then(() => { isAnswered = true }), CONFIRM_MS)
    if (!isAnswered) silentUntil = performance.now() + SILENT_MS
  }

  /** A look that begins now, or, for all who ask while one is under way, the one after it: what was asked before may be older than who asks. */
  function lookAnew (id: string): Promise<void> {
    const line = lines.get(id)
    if (line !== undefined) {
      line.next ??= line.current.then(() => lookAnew(id))
      return line.next
    }
    const current = refresh(id).finally(() => { lines.delete(id) })
    lines.set(id, { current, next: undefined })
    return current
  }

  function look (id: string) {
    refresh(id).catch(ignore)
  }

  async function inspectUntilFresh (id: string, look: Look) {
    while (look.isOutdated && !closing.signal.aborted) {
      look.isOutdated = false
      try {
        const document = await inspectContainer(engine, id, { signal: closing.signal })
        const container = describeContainer(document, await imageLabels.of(document.Image), await source.addressing())
        if (look.isOutdated) continue
        if (isExposed(container.labels, expose)) remember(container)
      } catch (error) {
        if (isDockApiError(error, 'container_not_found')) forget(id)
        // Otherwise the engine is away: what was known stays.
      }
    }
  }

  /** What was learned of a run holds until the next one begins. */
  function remember (container: RoutedContainer) {
    const before = known.get(container.id)
    known.set(container.id, before?.run === container.run ? { ...container, isDraining: before.isDraining, isOpen: before.isOpen } : container)
    publish(container.id)
    if (before?.run !== container.run || before.status !== container.status || !canBeDialled(before)) proveOpen(container).catch(ignore)
  }

  async function proveOpen ({ id, run, status, health, mainPort, addresses }: RoutedContainer) {
    const address = addresses.get(mainPort)
    if (status !== 'running' || health !== undefined || address === undefined || !('upstream' in address)) return
    const isSameRun = () => known.get(id)?.run === run && known.get(id)?.status === 'running'
    await waitUntilOpen(address.upstream, isSameRun, closing.signal)
    if (isSameRun()) patch(id, { isOpen: true })
  }

  function patch (id: string, change: Partial<RoutedContainer>) {
    const container = known.get(id)
    if (container === undefined) return
    known.set(id, { ...container, ...change })
    publish(id)
  }

  function forget (id: string) {
    fingerprints.delete(id)
    if (known.delete(id)) publish(id)
  }

  function publish (changed?: string) {
    if (isLoaded) onChange([...known.values()], changed)
  }

  return {
    get isLoaded () { return isLoaded },
    loaded,
    get isCurrent () { return !hasGap },
    confirm,
    get: (id) => known.get(id),
    start,
    refresh,
    look,
    setDraining,
    close () {
      closing.abort()
      clearInterval(timer)
    }
  }
}

function canBeDialled ({ mainPort, addresses }: RoutedContainer): boolean {
  const address = addresses.get(mainPort)
  return address !== undefined && 'upstream' in address
}

function ignore () {}

/** Everything in the engine's list that matters for routing, except which run it is. */
function fingerprintOf ({ Names, State, Status, Ports, NetworkSettings }: ContainerSummary): string {
  const health = /\((?:health: )?(healthy|unhealthy|starting)\)/.exec(Status)?.[1]
  const ports = Ports.map(({ PrivatePort, PublicPort, IP }) => `${PrivatePort} ${IP} ${PublicPort}`).sort()
  const networks = Object.entries(NetworkSettings?.Networks ?? {}).map(([name, { IPAddress }]) => `${name} ${IPAddress}`).sort()
  return JSON.stringify([Names, State, health, ports, networks])
}
