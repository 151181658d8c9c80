import { LABELS } from '../containers/labels.ts'
import { openAttach } from '../engine/attach.ts'
import { inspectContainer, listContainers } from '../engine/containers.ts'
import type { ContainerDocument, ContainerSummary } from '../engine/containers.ts'
import { createDeadline } from '../engine/deadline.ts'
import type { Engine } from '../engine/engine.ts'
import type { EventWatch } from '../engine/event-stream.ts'
import type { EngineEvent } from '../engine/events.ts'
import type { OutputChunk } from '../engine/frames.ts'
import { DockApiError, isDockApiError } from '../errors.ts'
import { createTombstoneTable } from '../store/tombstones.ts'
import type { Remains } from '../store/tombstones.ts'
import type { Store } from '../store/store.ts'
import type { Tombstone } from '../../schemas/tombstones.ts'
import { createEntrySplitter, createKeptLog, decodeEntries } from './kept-log.ts'
import type { KeptLog } from './kept-log.ts'
import { askRemains, hasStarted, LOG_BYTES, remainsOf, remainsOfEvent } from './remains.ts'
import type { Found } from './remains.ts'

type Visibility = (labels: Readonly<Record<string, string>>) => boolean

/** What is kept of the containers that dockAPI made, once they are gone. */
export type Tombstones = {
  /** Begins to follow the engine, and takes note of what went while nobody looked. */
  start (): void
  /** Listens to a container that the engine removes when it ends: nobody can be asked afterwards. Before its start, so that nothing is missed. Never throws. */
  listen (document: ContainerDocument): Promise<void>
  /** Notes what there is to know of a container that is about to be removed. Never throws. */
  keep (id: string): Promise<void>
  /**
   * The tombstone of a container that the engine does not know any more.
   * @param reference Full id, name (of those that had it, the last), or unique prefix of an id.
   * @throws DockApiError `ambiguous_id`.
   */
  find (reference: string, isVisible: Visibility): Promise<Tombstone | undefined>
  /** The last removed first. */
  list (isVisible: Visibility): Tombstone[]
  /** With the end of its log. */
  remains (id: string): Remains | undefined
  close (): void
}

export type TombstoneOptions = {
  engine: Engine
  store: Store
  /** How long they are kept, in milliseconds; 0 keeps none. */
  keepMs: number
  onTombstone (tombstone: Tombstone): void
  /** Something could not be noted. */
  onFailure (error: unknown): void
}

/** However long they are kept: together with their logs some 64 MiB. */
const MOST = 1000
const PRUNE_MS = 600_000
/** How long an answer waits for what is being noted, in milliseconds. */
const SETTLE_MS = 2_000
/** Inspections at the same time when many containers are new. */
const BATCH = 8
const ID_PREFIX = /^[0-9a-f]{1,64}$/

type Heard = { document: ContainerDocument, log: KeptLog, leave: AbortController, noted: PromiseWithResolvers<void> }

export function createTombstones ({ engine, store, keepMs, onTombstone, onFailure }: TombstoneOptions): Tombstones {
  const table = createTombstoneTable(store)
  const closing = new AbortController()
  const heard = new Map<string, Heard>()
  const oom = new Set<string>()
  /** Whether those that run have a terminal: it says how their log is read. */
  const terminals = new Map<string, boolean>()
  /** What the engine told of a container when it was sent a signal. */
  const killed = new Map<string, Promise<Found | undefined>>()
  const underWay = new Map<string, Promise<void>>()
  const isOff = keepMs === 0
  let events: EventWatch | undefined
  let timer: NodeJS.Timeout | undefined

  function start () {
    if (isOff) return
    prune()
    timer ??= setInterval(prune, PRUNE_MS).unref()
    events ??= engine.events.watch({ types: ['container'], onEvent, onGap: () => { lookAround().catch(fail) }, signal: closing.signal })
  }

  /** Called by a timer too: what it cannot forget now, it will. */
  function prune () {
    try {
      table.prune(Date.now() - keepMs, MOST)
    } catch (error) {
      fail(error)
    }
  }

  function onEvent (event: EngineEvent) {
    const { id, action, attributes } = event
    if (attributes[LABELS.managed] !== 'true') return
    if (action === 'oom') oom.add(id)
    else if (action === 'kill') killed.set(id, askRemains(engine, id, terminals.get(id), closing.signal))
    else if (action === 'start') begin(id, () => listenIfEphemeral(id))
    else if (action === 'die') begin(id, () => noteEnd(event))
    else if (action === 'destroy') begin(id, () => noteRemoval(id, Math.round(event.timeNano / 1e6)))
  }

  function fail (error: unknown) {
    if (!closing.signal.aborted && !isDockApiError(error, 'container_not_found')) onFailure(error)
  }

  function begin (id: string, work: () => Promise<void> | void) {
    inOrder(id, work).catch(() => {})
  }

  /** One thing after the other for each container; what fails is not noted. */
  function inOrder (id: string, work: () => Promise<void> | void): Promise<void> {
    const done = (underWay.get(id) ?? Promise.resolve()).then(work).catch(fail).finally(() => {
      if (underWay.get(id) === done) underWay.delete(id)
    })
    underWay.set(id, done)
    return done
  }

  async function listenIfEphemeral (id: string) {
    killed.delete(id)
    if (heard.has(id)) return
    const document = await inspectContainer(engine, id, { signal: closing.signal })
    terminals.set(id, document.Config.Tty)
    if (document.HostConfig.AutoRemove === true) await listen(document)
  }

  async function listen (document: ContainerDocument) {
    const { Id: id, Config: { Tty: isTty } } = document
    if (isOff || heard.has(id) || closing.signal.aborted) return
    const leave = new AbortController()
    const entry: Heard = { document, log: createKeptLog(LOG_BYTES), leave, noted: Promise.withResolvers() }
    heard.set(id, entry)
    try {
      const output = await openAttach(engine, { id, isTty }, { signal: AbortSignal.any([closing.signal, leave.signal]) })
      gather(entry, output).catch(() => {})
    } catch {
      heard.delete(id)
    }
  }

  async function gather ({ log }: Heard, output: AsyncIterable<OutputChunk>) {
    const split = createEntrySplitter()
    for await (const chunk of output) log.add(split([chunk], Date.now()))
  }

  /**
   * At its end a container is still there for a moment, even one that removes itself. What the engine tells then is exact; when its log
   * is gone already, what was heard, or what was there a moment ago, is what is left.
   */
  async function noteEnd (event: EngineEvent) {
    const { id } = event
    const [found, before] = await Promise.all([askRemains(engine, id, terminals.get(id), closing.signal), killed.get(id)])
    const own = heard.get(id)
    killed.delete(id)
    if (found !== undefined && !hasStarted(found.document)) return
    const isOom = oom.delete(id)
    const log = [found?.isWhole === true ? found.log : undefined, own?.log, before?.log, earlier(id), found?.log].find((candidate) => candidate !== undefined && candidate.entries.length > 0) ?? createKeptLog(0)
    if (found !== undefined && !found.document.State.Running) table.save(remainsOf(found.document, log))
    else table.save(remainsOfEvent(event, own?.document ?? found?.document ?? before?.document, isOom, log))
    stopListening(id)
  }

  function earlier (id: string): KeptLog | undefined {
    const remains = table.get(id)
    if (remains === undefined) return undefined
    const log = createKeptLog(LOG_BYTES)
    log.add(decodeEntries(remains.log))
    return log
  }

  function stopListening (id: string) {
    const own = heard.get(id)
    heard.delete(id)
    own?.leave.abort()
    own?.noted.resolve()
  }

  function noteRemoval (id: string, timeMs: number) {
    oom.delete(id)
    terminals.delete(id)
    killed.delete(id)
    markRemoved(id, timeMs)
    stopListening(id)
  }

  function markRemoved (id: string, timeMs: number) {
    const tombstone = table.markRemoved(id, timeMs)
    if (tombstone === undefined) return
    prune()
    onTombstone(tombstone)
  }

  async function keep (id: string) {
    if (isOff) return
    await inOrder(id, async () => {
      const found = await askRemains(engine, id, terminals.get(id), closing.signal)
      if (found?.document.Config.Labels?.[LABELS.managed] === 'true') table.save(remainsOf(found.document, found.log))
    })
  }

  /** After a start, or when events may have been missed: what ended and what is gone since, and what removes itself and runs. */
  async function lookAround () {
    const { signal } = closing
    const present = await listContainers(engine, { label: [`${LABELS.managed}=true`] }, { signal })
    const ids = new Set(present.map(({ Id }) => Id))
    for (const id of table.pending()) if (!ids.has(id)) await inOrder(id, () => markRemoved(id, Date.now()))
    const pending = new Set(table.pending())
    const unknown = present.filter(({ Id, State }) => State === 'running' ? !heard.has(Id) : State === 'exited' && !pending.has(Id))
    for (let index = 0; index < unknown.length; index += BATCH) await Promise.all(unknown.slice(index, index + BATCH).map(lookAt))
  }

  function lookAt ({ Id: id, State: state }: ContainerSummary): Promise<void> {
    return state === 'running' ? inOrder(id, () => listenIfEphemeral(id)) : keep(id)
  }

  async function find (reference: string, isVisible: Visibility): Promise<Tombstone | undefined> {
    if (isOff) return undefined
    await settle(reference)
    const matches = table.match(reference).filter(({ labels }) => isVisible(labels))
    const gone: Tombstone[] = []
    for (const match of matches) if (match.removed_at !== null || await isGone(match.id)) gone.push({ ...match, removed_at: match.removed_at ?? new Date().toISOString() })
    const exact = gone.find(({ id }) => id === reference) ?? gone.find(({ name }) => name === reference)
    if (exact !== undefined || !ID_PREFIX.test(reference)) return exact
    if (gone.length > 1) throw new DockApiError('ambiguous_id', `"${reference}" is the beginning of the ids of ${gone.length} containers that are gone.`, { details: { candidates: gone.slice(0, 10).map(({ id, name }) => ({ id, name })) } })
    return gone[0]
  }

  /** Somebody who saw a container go may be quicker than the engine's event of it. */
  async function settle (reference: string) {
    const isMeant = ([id, { document }]: [string, Heard]) => id.startsWith(reference) || document.Name === `/${reference}`
    const ended = [...heard].filter(isMeant).map(async ([id, { noted }]) => { if (await isGone(id)) await noted.promise })
    const deadline = createDeadline(SETTLE_MS, closing.signal)
    await deadline.race(Promise.all([...ended, ...underWay.values()])).catch(() => {})
    deadline.lift()
  }

  async function isGone (id: string): Promise<boolean> {
    return await inspectContainer(engine, id, { signal: closing.signal }).then(() => false, (error: unknown) => {
      if (isDockApiError(error, 'container_not_found')) return true
      throw error
    })
  }

  function close () {
    closing.abort()
    clearInterval(timer)
  }

  return {
    start,
    listen,
    keep,
    find,
    list: (isVisible) => isOff ? [] : table.removed().filter(({ labels }) => isVisible(labels)),
    remains: (id) => table.get(id),
    close
  }
}
