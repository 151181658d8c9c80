import { createImageRule } from '../auth/image-rule.ts'
import type { Containers } from '../containers/containers.ts'
import { listPastEvents } from '../engine/events.ts'
import type { EngineEvent } from '../engine/events.ts'
import { invalidField } from '../errors.ts'
import type { EventsQuery } from '../../schemas/events.ts'
import type { StreamSource } from './delivery.ts'
import type { StreamEvent } from './encoder.ts'
import { EVENT_TYPES } from './event-hub.ts'
import type { EventHub } from './event-hub.ts'
import { parseMoment } from './logs.ts'

/** How long the engine may take to tell the past, in milliseconds. */
const PAST_TIMEOUT_MS = 10_000

/**
 * The engine's events of what is in scope: those of the past that are asked for, then what happens.
 * @param lastId Id of the last event that the client has.
 * @throws DockApiError `invalid_request`, `engine_unavailable`.
 */
export async function openEngineEvents ({ containers, events }: { containers: Containers, events: EventHub }, query: EventsQuery, lastId: string | undefined, signal: AbortSignal): Promise<StreamSource> {
  const since = lastId === undefined ? query.since && parseMoment(query.since, '/since', Date.now()) : secondsOf(lastId)
  const types: string[] = query.type ?? [...EVENT_TYPES]
  const over = new AbortController()
  // Opened first, so that nothing falls between what is listed and what is heard.
  const live = await events.subscribe(() => true, AbortSignal.any([signal, over.signal]))
  const [inScope, past] = await Promise.all([
    containers.list({}, signal),
    since === undefined ? [] : listPastEvents(containers.engine, [...EVENT_TYPES], since, AbortSignal.any([signal, AbortSignal.timeout(PAST_TIMEOUT_MS)]))
  ])
  const isVisible = createFilter(containers, inScope.map(({ Id }) => Id))
  const isWanted = (event: EngineEvent) => isVisible(event) && types.includes(event.type) && matches(event, query)
  let left = query.limit ?? Infinity

  function select (batch: EngineEvent[]): StreamEvent[] {
    const selected = batch.filter(isWanted).slice(0, left).map(describe)
    left -= selected.length
    return selected
  }

  return follow()

  async function * follow (): StreamSource {
    const timer = query.timeout === undefined ? undefined : setTimeout(() => over.abort(), query.timeout * 1000)
    try {
      const seen = new Set(past.map(keyOf))
      yield select(lastId === undefined ? past : after(past, lastId))
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

/** Ids are the engine's nanoseconds. */
function idOf ({ timeNano }: EngineEvent): string {
  return BigInt(Math.round(timeNano)).toString()
}

function secondsOf (id: string): string {
  if (!/^\d{10,19}$/.test(id)) throw invalidField('header', '/last-event-id', 'is no id of this stream', 'Send the id of the last event as it came, or leave the header out.')
  return String(Math.floor(Number(id) / 1e9))
}

/** The events after the one of this id; when the engine has forgotten it, those that are later. */
function after (events: EngineEvent[], lastId: string): EngineEvent[] {
  const index = events.findLastIndex((event) => idOf(event) === lastId)
  return index === -1 ? events.filter(({ timeNano }) => timeNano > Number(lastId)) : events.slice(index + 1)
}

function keyOf ({ timeNano, type, action, id, attributes }: EngineEvent): string {
  return [timeNano, type, action, id, attributes.container].join(' ')
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

function describe (event: EngineEvent): StreamEvent {
  const { type, action, id, attributes, timeNano } = event
  const plain = plainAction(action)
  const detail = plain === 'health_status' ? action.slice(plain.length + 1).trim() : undefined
  const { name, ...rest } = attributes
  const subject = { id, ...(name === undefined ? {} : { name }) }
  return { event: type, id: idOf(event), data: { action: plain, ...(detail === undefined ? {} : { detail }), time: new Date(timeNano / 1e6).toISOString(), subject, attributes: rest } }
}
