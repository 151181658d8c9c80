import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { abortable } from './docker.ts'
import type { Engine } from './engine.ts'
import { createJsonLines } from './json-lines.ts'

/** Something that happened on the engine (Docker API, `SystemEvents`). */
export type EngineEvent = {
  /** `container`, `network`, … */
  type: string
  /** `start`, `die`, `exec_start: ls`, `health_status: healthy`, … */
  action: string
  /** Of the container, or the name of the image, network or volume. */
  id: string
  /** Labels, name and image of a container among them. */
  attributes: Record<string, string>
  /** Unix time by the engine's clock, in seconds. */
  time: number
  /** The same in nanoseconds, as near as a number comes to it. */
  timeNano: number
}

export const EVENT_TYPES = ['container', 'image', 'network'] as const
export type EventType = (typeof EVENT_TYPES)[number]

const EventSchema = Type.Object({
  Type: Type.String(),
  Action: Type.String(),
  Actor: Type.Object({ ID: Type.String(), Attributes: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])) }),
  time: Type.Number(),
  timeNano: Type.Optional(Type.Number())
})

/**
 * What the engine still knows of what happened, the oldest first; engines remember some hundred events.
 * @param since Unix seconds, with a fraction where wanted.
 */
export async function listPastEvents (engine: Engine, types: string[], since: string, signal: AbortSignal): Promise<EngineEvent[]> {
  const query = { since, until: (Date.now() / 1000).toFixed(3), filters: { type: types } }
  const stream = await engine.open('events', (docker, abortSignal) => abortable(docker).getEvents({ ...query, abortSignal }), { signal })
  const lines = createJsonLines()
  const events: EngineEvent[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) events.push(...lines.push(chunk).map(parseEvent).filter((event) => event !== undefined))
  return events
}

/** The engine's document of an event, or nothing when it is none. */
export function parseEvent (document: unknown): EngineEvent | undefined {
  if (!Value.Check(EventSchema, document)) return undefined
  const { Type: type, Action: action, Actor: { ID: id, Attributes }, time, timeNano = time * 1e9 } = document
  return { type, action, id, attributes: Attributes ?? {}, time, timeNano }
}
