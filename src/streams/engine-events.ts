import { createImageRule } from '../images/image-rule.ts'
import type { Containers } from '../containers/containers.ts'
import { EVENT_TYPES, listPastEvents } from '../engine/events.ts'
import type { EngineEvent } from '../engine/events.ts'
import { invalidField } from '../errors.ts'
import type { EventsQuery } from '../../schemas/events.ts'
import type { StreamSource } from './delivery.ts'
import type { StreamEvent } from './encoder.ts'
import type { EventHub } from './event-hub.ts'
import { parseMoment } from './logs.ts'
import { OWN_TYPE } from './own-events.ts'
import type { NumberedEvent } from './own-events.ts'

/** How long the engine may take to tell the past, in milliseconds. */
const PAST_TIMEOUT_MS = 10_000

/**
 * The engine's events of what is in scope, and dockAPI's own: those of the past that are asked for, then what happens.
 * @param lastId Id of the last event that the client has.
 * @throws DockApiError `invalid_request`, `engine_unavailable`.
 */
export async function openEngineEvents ({ containers, events }: { containers: Containers, events: EventHub }, query: EventsQuery, lastId: string | undefined, signal: AbortSignal): Promise<StreamSource> {
  const last = lastId === undefined ? undefined : parseId(lastId)
  const since = last === undefined ? query.since && parseMoment(query.since, '/since', Date.now()) : String(Math.floor(Number(last.engine) / 1e9))
  const types: string[] = query.type ?? [...EVENT_TYPES, OWN_TYPE]
  const position = last ?? { engine: String(BigInt(Date.now()) * 1_000_000n), own: since === undefined ? events.own.latest : Math.floor(Number(since) * 1e6) }
  const over = new AbortController()
  // Opened first, so that nothing falls between what is listed and what is heard.
  const live = await events.subscribe(() => true, AbortSignal.any([signal, over.signal]))
  const [inScope, listed] = await Promise.all([
    containers.list({}, signal),
    since === undefined ? [] : listPastEvents(containers.engine, [...EVENT_TYPES], since, AbortSignal.any([signal, AbortSignal.timeout(PAST_TIMEOUT_MS)]))
  ])
  const isVisible = createFilter(containers, inScope.map(({ Id }) => Id))
  const isWanted = (event: EngineEvent) => isVisible(event) && types.includes(event.type) && matches(event, query)
  const own = events.own.after(position.own)
  const past = [...last === undefined ? listed : after(listed, last.engine), ...own].sort((a, b) => a.timeNano - b.timeNano)
  const seen = new Set([...listed, ...own].map(keyOf))
  let left = query.limit ?? Infinity

  function select (batch: EngineEvent[]): StreamEvent[] {
    const selected = batch.filter(isWanted).slice(0, left).map((event) => describe(event, move(position, event)))
    left -= selected.length
    return selected
  }

  return follow()

  async function * follow (): StreamSource {
    const timer = query.timeout === undefined ? undefined : setTimeout(() => over.abort(), query.timeout * 1000)
    try {
      yield select(past)
      while (left > 0) {
        const next = await live.next()
        if (next.done === true) return over.signal.aborted ? 'timeout' : next.value
        yield select(next.value.filter((event) => !seen.has(keyOf(event))))
      }
      return 'limit_reached'
    } finally {
      clearTimeout(timer)
      over.abort()
    }
  }
}

/** Where a reader is among the engine's events (their nanoseconds) and among dockAPI's own (their numbers): the clocks of the two may differ. */
type Position = { engine: string, own: number }

const ID = /^(\d{10,19})(?:~(\d{1,16}))?$/

/** An id that names the engine's place only has the time for both. */
function parseId (id: string): Position {
  const [, engine, own] = ID.exec(id) ?? []
  if (engine === undefined) throw invalidField('header', '/last-event-id', 'is no id of this stream', 'Send the id of the last event as it came, or leave the header out.')
  return { engine, own: own === undefined ? Math.floor(Number(engine) / 1000) : Number(own) }
}

/** @returns The id of the event to which the reader comes. */
function move (position: Position, event: EngineEvent): string {
  if (isOwn(event)) position.own = event.sequence
  else position.engine = nanosOf(event)
  return `${position.engine}~${position.own}`
}

function isOwn (event: EngineEvent): event is NumberedEvent {
  return event.type === OWN_TYPE
}

function nanosOf ({ timeNano }: EngineEvent): string {
  return BigInt(Math.round(timeNano)).toString()
}

/** The events after the one of this time; when the engine has forgotten it, those that are later. */
function after (events: EngineEvent[], nanos: string): EngineEvent[] {
  const index = events.findLastIndex((event) => nanosOf(event) === nanos)
  return index === -1 ? events.filter(({ timeNano }) => timeNano > Number(nanos)) : events.slice(index + 1)
}

function keyOf (event: EngineEvent): string {
  const { timeNano, type, action, id, attributes } = event
  return [timeNano, type, action, id, isOwn(event) ? event.sequence : attributes.container].join(' ')
}

/**
 * Whether an event may be seen: a container's by its labels, a network's that is about a container if that container's may, an image's
 * by the patterns of the token. Networks themselves have no scope; a token that is narrowed to some containers sees none.
 * @param ids Of the visible containers; those of containers that come are learned from their events.
 */
function createFilter ({ config, grant, isVisible }: Containers, ids: string[]): (event: EngineEvent) => boolean {
  const known = new Set(ids)
  const isImageVisible = createImageRule(grant.images)
  const seesNetworks = grant.labels === undefined
  return ({ type, action, id, attributes }) => {
    if (type === 'image') return isImageVisible(attributes.name ?? id)
    if (type === 'network') return attributes.container === undefined ? seesNetworks : (seesNetworks && config.scope === 'all') || known.has(attributes.container)
    if (type === OWN_TYPE) return id === OWN_TYPE ? seesNetworks : isVisible(attributes)
    const isSeen = isVisible(attributes)
    if (action === 'destroy') known.delete(id)
    else if (isSeen) known.add(id)
    return isSeen
  }
}

function matches ({ id, action, attributes }: EngineEvent, query: EventsQuery): boolean {
  const { container, action: actions, label: labels } = query
  if (actions !== undefined && !actions.includes(plainAction(action))) return false
  if (labels !== undefined && !labels.every((label) => hasLabel(attributes, label))) return false
  return container === undefined || isSame(id, container) || isSame(attributes.container, container) || attributes.name === container
}

/** The engine's own short ids have 12 characters. */
function isSame (id: string | undefined, reference: string): boolean {
  return id === reference || (reference.length >= 12 && id?.startsWith(reference) === true)
}

function hasLabel (attributes: Record<string, string>, label: string): boolean {
  const [name = '', ...value] = label.split('=')
  return value.length === 0 ? name in attributes : attributes[name] === value.join('=')
}

/** The engine puts details after a colon: the state of health, and the whole command of an exec, which may hold secrets. */
function plainAction (action: string): string {
  return action.split(':', 1)[0]!
}

function describe (event: EngineEvent, streamId: string): StreamEvent {
  const { type, action, id, attributes, timeNano } = event
  const plain = plainAction(action)
  const detail = plain === 'health_status' ? action.slice(plain.length + 1).trim() : undefined
  const { name, ...rest } = attributes
  const subject = { id, ...(name === undefined ? {} : { name }) }
  return { event: type, id: streamId, data: { action: plain, ...(detail === undefined ? {} : { detail }), time: new Date(timeNano / 1e6).toISOString(), subject, attributes: rest } }
}
