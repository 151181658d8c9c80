import { setTimeout as delay } from 'node:timers/promises'
import type { DockApiError } from '../errors.ts'
import { abortable } from './docker.ts'
import type { Engine } from './engine.ts'
import { EVENT_TYPES, parseEvent } from './events.ts'
import type { EngineEvent, EventType } from './events.ts'
import { createJsonLines } from './json-lines.ts'

export type EventWatch = {
  /** True only while events arrive: what was learned before may be kept. False: anything may have changed unseen. */
  readonly isLive: boolean
}

export type WatchOptions = {
  /** Which kinds of object; containers and networks when left out. */
  types?: readonly EventType[]
  /** Must not throw. */
  onEvent (event: EngineEvent): void
  /** Events may have been missed: look at everything anew. Called once at the beginning, and each time that the stream is open again. */
  onGap (): void
  /** The stream could not be opened or was lost. It is opened again by itself. */
  onLost? (error: DockApiError | undefined): void
  /** Ends the watch. */
  signal: AbortSignal
}

/** The engine's events for all who watch: one stream, open while somebody does. */
export type EventStream = {
  watch (options: WatchOptions): EventWatch
  /** The engine may be back: an attempt that is waited for is made now. */
  wake (): void
  /** Ends the stream, whoever watches. */
  close (): void
}

const SILENCE_MS = 30_000
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 5000
const ROUTING_TYPES: readonly EventType[] = ['container', 'network']

/**
 * A lost stream is opened again for ever, after 100 ms at first and at most 5 s, with jitter, sooner when the engine is known to be back or somebody
 * new wants to watch; and from the second of the last event on: an event may come twice, and none is skipped that the engine still remembers.
 * @param silenceMs Silence after which the engine is asked whether it is still there, in milliseconds.
 */
export function createEventStream (engine: Pick<Engine, 'open' | 'probe' | 'observer'>, { types = EVENT_TYPES, silenceMs = SILENCE_MS }: { types?: readonly string[], silenceMs?: number } = {}): EventStream {
  const watchers = new Set<WatchOptions>()
  let following: AbortController | undefined
  let resting: AbortController | undefined
  let isOpen = false
  let since = 0

  function watch (options: WatchOptions): EventWatch {
    if (options.signal.aborted) return { isLive: false }
    watchers.add(options)
    options.signal.addEventListener('abort', () => { leave(options) }, { once: true })
    if (isOpen) setImmediate(() => { if (isOpen && watchers.has(options)) options.onGap() })
    else if (following === undefined) start()
    else wake()
    return { get isLive () { return isOpen && watchers.has(options) } }
  }

  function leave (options: WatchOptions) {
    watchers.delete(options)
    if (watchers.size === 0) close()
  }

  function start () {
    following = new AbortController()
    since = Math.floor(Date.now() / 1000)
    setImmediate(follow, following.signal)
  }

  function wake () {
    resting?.abort()
  }

  function close () {
    following?.abort()
    following = undefined
    isOpen = false
  }

  async function follow (signal: AbortSignal) {
    let failures = 0
    while (!signal.aborted) {
      const openedAt = Date.now()
      const error = await listen(signal).then(() => undefined, (reason: DockApiError) => reason)
      if (signal.aborted) return
      isOpen = false
      engine.observer?.lost()
      // A stream that lived was no failure; one that is cut as soon as it opens is.
      failures = Date.now() - openedAt > LONGEST_PAUSE_MS ? 0 : failures + 1
      resting = new AbortController()
      const rest = delay(pauseMs(failures), undefined, { signal: AbortSignal.any([signal, resting.signal]) }).catch(() => {})
      for (const { onLost } of [...watchers]) onLost?.(error)
      await rest
    }
  }

  /** Resolves when the engine ends the stream. */
  async function listen (signal: AbortSignal) {
    const attempt = new AbortController()
    const ended = AbortSignal.any([signal, attempt.signal])
    const stream = await engine.open('events', (docker, abortSignal) => abortable(docker).getEvents({ since, filters: { type: [...types] }, abortSignal }), { signal: ended })
    const lines = createJsonLines()
    const watchdog = setTimeout(checkSilence, silenceMs)

    async function checkSilence () {
      const isAlive = await engine.probe('ping', (connection, abortSignal) => connection.ping(abortSignal)).then(() => true, () => false)
      if (isAlive) watchdog.refresh()
      else attempt.abort()
    }

    try {
      signal.throwIfAborted()
      isOpen = true
      engine.observer?.opened()
      tellGap()
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        watchdog.refresh()
        for (const document of lines.push(chunk)) take(document)
      }
    } finally {
      clearTimeout(watchdog)
      attempt.abort()
    }
  }

  function tellGap () {
    for (const { onGap } of [...watchers]) onGap()
  }

  function take (document: unknown) {
    const event = parseEvent(document)
    if (event === undefined) return tellGap()
    since = Math.max(since, event.time)
    engine.observer?.event((Date.now() - event.timeNano / 1e6) / 1000)
    for (const { types = ROUTING_TYPES, onEvent } of [...watchers]) if (types.includes(event.type as EventType)) onEvent(event)
  }

  return { watch, wake, close }
}

/** Doubles with each failure up to the longest; jitter keeps many watchers from coming back at once. */
function pauseMs (failures: number): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** Math.max(failures - 1, 0), LONGEST_PAUSE_MS)
  return longest / 2 + Math.random() * longest / 2
}
