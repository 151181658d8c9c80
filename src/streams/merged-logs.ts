import { setTimeout as delay } from 'node:timers/promises'
import type { Containers } from '../containers/containers.ts'
import { containerNotFound, nameOf } from '../containers/lookup.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { EngineEvent } from '../engine/events.ts'
import { openLogs } from '../engine/logs.ts'
import { DockApiError, invalidField, isDockApiError } from '../errors.ts'
import { MAX_MERGED } from '../../schemas/logs.ts'
import type { MergedLogsQuery } from '../../schemas/logs.ts'
import { createChannel } from './channel.ts'
import type { StreamSource } from './delivery.ts'
import type { EndReason } from './encoder.ts'
import type { LeftOutEvent, LogEvent, LogSources } from './log-events.ts'
import { createLineFilter } from './line-filter.ts'
import { createLineReader } from './log-lines.ts'
import type { LogLine } from './log-lines.ts'
import { comparePlaces, createPlaces, idOfPlace, parsePlace } from './log-place.ts'
import type { Place } from './log-place.ts'
import { logRequest } from './logs.ts'
import { mergeSorted } from './merge.ts'
import { openSharedLog } from './shared-log.ts'

/** Lines that come within this time are put in order, in milliseconds. */
const WINDOW_MS = 100
/** Lines that wait to be read, of all containers together. */
const MAX_QUEUED = 2000
/** How many containers are asked about at once. */
const CONCURRENCY = 8
/** How far behind the last line a log is taken up again, in milliseconds. */
const SLACK_MS = 1000

type PlacedLine = { place: Place, event: LogEvent | LeftOutEvent }
type Opened = { id: string, past: AsyncGenerator<PlacedLine[]>, live?: AsyncGenerator<PlacedLine[], EndReason> }

/**
 * The logs of several containers as one, each line with its container: the past in the order of time, what comes in the order in which it comes,
 * put right within a tenth of a second. Following, it takes in the containers that match and start later; one that starts when there are as many as
 * are read already is told as `left_out`.
 * @param lastId Id of the last line that the client has.
 * @throws DockApiError `invalid_request`, `too_many_containers`; `container_not_found` for one that is named, unless the client comes back: it may be gone by then.
 */
export async function openMergedLogs ({ containers, events, logs }: LogSources, query: MergedLogsQuery, lastId: string | undefined, signal: AbortSignal): Promise<StreamSource> {
  if (query.follow && query.until !== undefined) throw invalidField('query', '/until', 'cannot be combined with follow')
  const isWanted = createLineFilter(query)
  const last = lastId === undefined ? undefined : parsePlace(lastId)
  /** Where each container was left, so that one that starts again goes on there. */
  const places = new Map<string, Place>()
  const active = new Set<string>()
  const matches = createMatch(query)
  // Opened first, so that no start falls between the list and what is heard.
  const starts = query.follow ? await events.subscribe((event) => isStart(event) && containers.isVisible(event.attributes) && matches({ id: event.id, name: event.attributes.name ?? '', labels: event.attributes }), signal) : undefined
  const chosen = await choose(containers, query, matches, { mayBeGone: last !== undefined }, signal)
  const opened = await openAll(chosen)
  return follow()

  async function openAll (ids: string[]): Promise<Opened[]> {
    const found: Array<Opened | undefined> = []
    const queue = ids.entries()
    const work = async () => { for (const [index, id] of queue) found[index] = await openIfThere(id, last) }
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
    return found.filter((each) => each !== undefined)
  }

  /** Nothing for a container that is gone, or keeps no log. */
  async function openIfThere (id: string, from: Place | undefined): Promise<Opened | undefined> {
    try {
      return await open(await containers.find(id, signal), from)
    } catch (error) {
      if (isDockApiError(error, 'container_not_found') || isDockApiError(error, 'logs_unavailable')) return undefined
      throw error
    }
  }

  async function open (document: ContainerDocument, from: Place | undefined): Promise<Opened> {
    const { Id: id, Config: { Tty: isTty }, State: { Running: isRunning } } = document
    const request = { ...logRequest(document, { ...query, follow: 'false' }), hasStdout: true, hasStderr: true, hasTimestamps: true }
    const start = from === undefined ? { tail: request.tail, since: request.since } : { tail: 'all' as const, since: String((Date.parse(from.time) - SLACK_MS) / 1000) }
    const placeOf = createPlaces(id)
    const tell = (lines: LogLine[]) => lines.flatMap((line) => tellLine(document, line, placeOf(line), from))
    if (query.follow && isRunning) {
      const log = await openSharedLog(containers.engine, logs, { id, isTty }, start, signal)
      active.add(id)
      return { id, past: mapAll(log.past, tell), live: mapAll(log.live, tell) }
    }
    return { id, past: mapAll(readStored(await openLogs(containers.engine, { id, isTty }, { ...request, ...start }, { signal }), isTty), tell) }
  }

  function tellLine ({ Id: id, Name }: ContainerDocument, line: LogLine, place: Place, from: Place | undefined): PlacedLine[] {
    if (from !== undefined && comparePlaces(place, from) <= 0) return []
    places.set(id, place)
    const isChosen = (line.stream === 'stdout' ? query.stdout : query.stderr) && isWanted(line.line)
    return isChosen ? [{ place, event: { event: 'log', data: { container_id: id, container_name: Name.slice(1), ...line } } }] : []
  }

  async function * follow (): StreamSource {
    const furthest = createFurthest(last)
    for await (const lines of mergeSorted(opened.map(({ past }) => past), ({ place: one }, { place: other }) => comparePlaces(one, other))) yield lines.map(furthest.number)
    if (starts === undefined) return 'complete'
    const channel = createChannel<PlacedLine[]>(MAX_QUEUED, signal, (lines) => lines.length)
    const batches = channel.batches()
    const bring = (work: Promise<void>) => { work.catch((error: Error) => channel.fail(error)) }
    for (const each of opened) bring(bringLive(each))
    bring(bringStarting())
    for (;;) {
      const next = await batches.next()
      if (next.done === true) return next.value
      await delay(WINDOW_MS, undefined, { signal }).catch(() => {})
      const lines = [...next.value, ...channel.take()].flat().sort(({ place: one }, { place: other }) => comparePlaces(one, other))
      yield lines.map(furthest.number)
    }

    async function bringStarting (): Promise<void> {
      for (;;) {
        const next = await starts!.next()
        if (next.done === true) return channel.end(next.value)
        for (const event of next.value.filter(({ id }) => !active.has(id))) {
          if (active.size < MAX_MERGED) await bringNew(event.id)
          else channel.push([leftOut(event)])
        }
      }
    }

    /** One that was not there before is new as a whole. */
    async function bringNew (id: string): Promise<void> {
      const document = await containers.find(id, signal).catch((error: unknown) => {
        if (!isDockApiError(error, 'container_not_found')) throw error
      })
      if (document === undefined) return
      const each = await open(document, places.get(id) ?? { time: '1970-01-01T00:00:01.000000000Z', container: '', count: 0 })
      bring(bringAll(each.past).then(() => bringLive(each)))
    }

    async function bringAll (lines: AsyncGenerator<PlacedLine[], unknown>): Promise<unknown> {
      for (;;) {
        const next = await lines.next()
        if (next.done === true) return next.value
        if (next.value.length > 0 && !channel.push(next.value)) await channel.drained()
      }
    }

    async function bringLive ({ id, live }: Opened): Promise<void> {
      if (live === undefined) return
      const reason = await bringAll(live)
      active.delete(id)
      if (reason === 'too_slow') channel.end('too_slow')
    }
  }
}

type Candidate = { id: string, name: string, labels: Readonly<Record<string, string>> }

function createMatch ({ label, name, container }: MergedLogsQuery): (candidate: Candidate) => boolean {
  return (candidate) => (name === undefined || candidate.name.includes(name)) &&
    (container === undefined || container.some((reference) => isNamed(candidate, reference))) &&
    (label === undefined || label.every((each) => hasLabel(candidate.labels, each)))
}

function isNamed ({ id, name }: Candidate, reference: string): boolean {
  return reference === name || reference === id || (reference.length >= 12 && id.startsWith(reference))
}

function hasLabel (labels: Readonly<Record<string, string>>, label: string): boolean {
  const [name = '', ...value] = label.split('=')
  return value.length === 0 ? name in labels : labels[name] === value.join('=')
}

async function choose (containers: Containers, { label, container }: MergedLogsQuery, matches: (candidate: Candidate) => boolean, { mayBeGone }: { mayBeGone: boolean }, signal: AbortSignal): Promise<string[]> {
  // One that is named and has other labels is there all the same.
  const listed = await containers.list(label === undefined || container !== undefined ? {} : { label }, signal)
  const all = listed.map(({ Id, Names, Labels }): Candidate => ({ id: Id, name: nameOf(Names), labels: Labels }))
  const missing = mayBeGone ? undefined : container?.find((reference) => !all.some((candidate) => isNamed(candidate, reference)))
  if (missing !== undefined) throw containerNotFound(missing)
  const chosen = all.filter(matches)
  if (chosen.length <= MAX_MERGED) return chosen.map(({ id }) => id)
  throw new DockApiError('too_many_containers', `${chosen.length} containers match, and at most ${MAX_MERGED} logs are read as one.`, { details: { matches: chosen.length, limit: MAX_MERGED } })
}

function isStart ({ type, action }: EngineEvent): boolean {
  return type === 'container' && action === 'start'
}

/** Takes its place by the time of the start; there is nothing to go on from, so it has no id. */
function leftOut ({ id, timeNano, attributes }: EngineEvent): PlacedLine {
  const detail = `left out: ${MAX_MERGED} logs are read as one already`
  return { place: { time: new Date(timeNano / 1e6).toISOString(), container: id, count: 0 }, event: { event: 'left_out', data: { container_id: id, container_name: attributes.name ?? '', detail } } }
}

/** Ids only grow: a line that came late has the id of the one before it, so that who goes on from there is told nothing twice. */
function createFurthest (last: Place | undefined) {
  let furthest = last
  return {
    number ({ place, event }: PlacedLine): PlacedLine['event'] {
      if (event.event !== 'log') return event
      if (furthest === undefined || comparePlaces(place, furthest) > 0) furthest = place
      return { ...event, id: idOfPlace(furthest) }
    }
  }
}

async function * readStored (output: Awaited<ReturnType<typeof openLogs>>, isTty: boolean): AsyncGenerator<LogLine[]> {
  const reader = createLineReader({ isTty })
  for await (const chunks of output) yield reader.push(chunks)
  yield reader.flush()
}

async function * mapAll<T, U, R> (source: AsyncGenerator<T[], R>, change: (items: T[]) => U[]): AsyncGenerator<U[], R> {
  try {
    for (;;) {
      const next = await source.next()
      if (next.done === true) return next.value
      const items = change(next.value)
      if (items.length > 0) yield items
    }
  } finally {
    await source.return(undefined as never)
  }
}
