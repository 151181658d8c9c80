import type { EngineEvent } from '../engine/events.ts'

/** Something that dockAPI itself did or found. */
export type OwnEvent = {
  /** `ready`, `drained`, `tombstoned`, … */
  action: string
  /** The container that it happened to: only who may see that one is told. */
  container?: { id: string, name: string, labels: Readonly<Record<string, string>> }
  /** Never secrets. */
  attributes?: Readonly<Record<string, string>>
}

/** An own event in the shape of the engine's, of the type `dockapi`. */
export type NumberedEvent = EngineEvent & { sequence: number }

/** dockAPI's own events, the last of which can be told again. */
export type OwnEvents = {
  /** The number of the last one. Numbers grow, with time and over restarts: they are Unix microseconds, or the next after the one before. */
  readonly latest: number
  add (event: OwnEvent): NumberedEvent
  /** Those after this number that are still known. */
  after (sequence: number): NumberedEvent[]
}

export const OWN_TYPE = 'dockapi'
/** How many are kept to be told again. */
const MOST = 1000

export function createOwnEvents (): OwnEvents {
  let latest = Date.now() * 1000
  let known: NumberedEvent[] = []

  function add ({ action, container, attributes = {} }: OwnEvent): NumberedEvent {
    const nowMs = Date.now()
    latest = Math.max(latest + 1, nowMs * 1000)
    const about = container === undefined ? {} : { ...container.labels, name: container.name }
    const event = { type: OWN_TYPE, action, id: container?.id ?? OWN_TYPE, attributes: { ...about, ...attributes }, time: Math.floor(nowMs / 1000), timeNano: nowMs * 1e6, sequence: latest }
    known = [...known.slice(1 - MOST), event]
    return event
  }

  return { get latest () { return latest }, add, after: (sequence) => known.filter((event) => event.sequence > sequence) }
}
