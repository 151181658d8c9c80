import { DockApiError } from '../errors.ts'
import type { Engine } from '../engine/engine.ts'
import { EVENT_TYPES } from '../engine/events.ts'
import type { EngineEvent } from '../engine/events.ts'
import { createChannel } from './channel.ts'
import type { Channel } from './channel.ts'
import type { EndReason } from './encoder.ts'
import { createOwnEvents } from './own-events.ts'
import type { OwnEvent, OwnEvents } from './own-events.ts'

/** The engine's events and dockAPI's own for clients of the API. */
export type EventHub = {
  readonly subscribers: number
  /** dockAPI's own events that were. */
  readonly own: OwnEvents
  /** Tells an event of dockAPI's own. */
  emit (event: OwnEvent): void
  /**
   * Events from now on, those of which `isWanted` says so. Resolves when the engine's events arrive, so that what is looked up afterwards is no older than the events.
   * It ends with `too_slow` when too many wait to be read, and throws `engine_unavailable` when the engine's stream is lost.
   */
  subscribe (isWanted: (event: EngineEvent) => boolean, signal: AbortSignal): Promise<AsyncGenerator<EngineEvent[], EndReason>>
}

/** Events that may wait for one reader. */
const MAX_QUEUED = 1000

type Subscriber = { channel: Channel<EngineEvent>, isWanted (event: EngineEvent): boolean }

export function createEventHub (engine: Engine): EventHub {
  const subscribers = new Set<Subscriber>()
  const own = createOwnEvents()
  let watching: { opened: Promise<void>, stop: AbortController } | undefined

  function watch () {
    const stop = new AbortController()
    const { promise: opened, resolve, reject } = Promise.withResolvers<void>()
    opened.catch(() => {})
    engine.events.watch({
      types: EVENT_TYPES,
      onEvent: distribute,
      onGap: resolve,
      onLost (cause) {
        const error = cause ?? new DockApiError('engine_unavailable', 'The engine ended its stream of events.')
        reject(error)
        stop.abort()
        watching = undefined
        for (const { channel } of subscribers) channel.fail(error)
        subscribers.clear()
      },
      signal: stop.signal
    })
    return { opened, stop }
  }

  function distribute (event: EngineEvent) {
    for (const { channel, isWanted } of subscribers) {
      if (isWanted(event) && !channel.push(event)) channel.end('too_slow')
    }
  }

  function leave (subscriber: Subscriber) {
    subscribers.delete(subscriber)
    if (subscribers.size > 0) return
    watching?.stop.abort()
    watching = undefined
  }

  async function subscribe (isWanted: Subscriber['isWanted'], signal: AbortSignal) {
    const subscriber = { channel: createChannel<EngineEvent>(MAX_QUEUED, signal), isWanted }
    subscribers.add(subscriber)
    signal.addEventListener('abort', () => leave(subscriber), { once: true })
    watching ??= watch()
    try {
      await watching.opened
      signal.throwIfAborted()
    } catch (error) {
      leave(subscriber)
      throw error
    }
    return read(subscriber)
  }

  async function * read (subscriber: Subscriber): AsyncGenerator<EngineEvent[], EndReason> {
    try {
      return yield * subscriber.channel.batches()
    } finally {
      leave(subscriber)
    }
  }

  return { get subscribers () { return subscribers.size }, own, emit: (event) => distribute(own.add(event)), subscribe }
}
