import { setTimeout as delay } from 'node:timers/promises'
import { Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { DockApiError } from '../errors.ts'
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

export type EventWatch = {
  /** True only while events arrive: what was learned before may be kept. False: anything may have changed unseen. */
  readonly isLive: boolean
}

export type WatchOptions = {
  /** Which kinds of object; containers and networks when left out. */
  types?: string[]
  onEvent (event: EngineEvent): void
  /** Events may have been missed: look at everything anew. Called each time that the stream is open again, the first time included. */
  onGap (): void
  /** The stream could not be opened or was lost. It is opened again by itself. */
  onLost? (error: DockApiError | undefined): void
  /** Ends the watch. */
  signal: AbortSignal
  /** Silence after which the engine is asked whether it is still there, in milliseconds; 30 s when left out. */
  silenceMs?: number
}

const SILENCE_MS = 30_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000

const EventSchema = Type.Object({
  Type: Type.String(),
  Action: Type.String(),
  Actor: Type.Object({ ID: Type.String(), Attributes: Type.Optional(Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()])) }),
  time: Type.Number(),
  timeNano: Type.Optional(Type.Number())
})

/**
 * Follows the engine's events until `signal` aborts. A lost stream is opened again for ever, after 100 ms at first and at most 5 s, with jitter, and
 * from the second of the last event on: an event may come twice, and none is skipped that the engine still remembers.
 */
export function watchEvents (engine: Engine, options: WatchOptions): EventWatch {
  const { types = ['container', 'network'], onEvent, onGap, onLost, signal, silenceMs = SILENCE_MS } = options
  let isLive = false
  let since = Math.floor(Date.now() / 1000)

  setImmediate(follow)
  return { get isLive () { return isLive } }

  async function follow () {
    let failures = 0
    while (!signal.aborted) {
      const openedAt = Date.now()
      const error = await listen().then(() => undefined, (reason: DockApiError) => reason)
      isLive = false
      if (signal.aborted) return
      engine.observer?.lost()
      onLost?.(error)
      // A stream that lived was no failure; one that is cut as soon as it opens is.
      failures = Date.now() - openedAt > LONGEST_PAUSE_MS ? 0 : failures + 1
      await delay(pauseMs(failures), undefined, { signal }).catch(() => {})
    }
  }

  /** Resolves when the engine ends the stream. */
  async function listen () {
    const attempt = new AbortController()
    const ended = AbortSignal.any([signal, attempt.signal])
    const stream = await engine.open('events', (docker, abortSignal) => abortable(docker).getEvents({ since, filters: { type: types }, abortSignal }), { signal: ended })
    const lines = createJsonLines()
    const watchdog = setTimeout(checkSilence, silenceMs)

    async function checkSilence () {
      const isAlive = await engine.probe('ping', (connection, abortSignal) => connection.ping(abortSignal)).then(() => true, () => false)
      if (isAlive) watchdog.refresh()
      else attempt.abort()
    }

    try {
      isLive = true
      engine.observer?.opened()
      onGap()
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        watchdog.refresh()
        for (const document of lines.push(chunk)) take(document)
      }
    } finally {
      clearTimeout(watchdog)
      attempt.abort()
    }
  }

  function take (document: unknown) {
    const event = parseEvent(document)
    if (event === undefined) return onGap()
    since = Math.max(since, event.time)
    engine.observer?.event((Date.now() - event.timeNano / 1e6) / 1000)
    onEvent(event)
  }
}

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
function parseEvent (document: unknown): EngineEvent | undefined {
  if (!Value.Check(EventSchema, document)) return undefined
  const { Type: type, Action: action, Actor: { ID: id, Attributes }, time, timeNano = time * 1e9 } = document
  return { type, action, id, attributes: Attributes ?? {}, time, timeNano }
}

/** Doubles with each failure up to the longest; jitter keeps many watchers from coming back at once. */
function pauseMs (failures: number): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(failures - 1, 0), LONGEST_PAUSE_MS)
  return longest / 2 + Math.random() * longest / 2
}
