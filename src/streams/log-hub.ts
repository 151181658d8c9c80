import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from '../engine/engine.ts'
import { openLogs } from '../engine/logs.ts'
import { createChannel } from './channel.ts'
import type { Channel } from './channel.ts'
import type { EndReason } from './encoder.ts'
import { createLineReader } from './log-lines.ts'
import type { LogLine } from './log-lines.ts'

export type LogContainer = { id: string, isTty: boolean }

/** One of those who follow a log. */
export type LogFollower = {
  /** The line that came last before this follower joined; undefined when none did. */
  readonly after: LogLine | undefined
  /** Whether it was cut because it kept the others waiting. */
  readonly isCut: boolean
  /** What comes, both outputs, in the order of the log; `container_ended`, or `too_slow` when it was cut. Throws when the engine's stream is lost. */
  batches (): AsyncGenerator<LogLine[][], EndReason>
  leave (): void
}

/** The live logs of containers for many: one stream of the engine for each container, open while somebody follows. */
export type LogHub = {
  /** Streams of the engine that are open. */
  readonly open: number
  /** Joins now: every line that is not in the log yet will come, and some of the last that are. */
  join (container: LogContainer, signal: AbortSignal): LogFollower
}

/** What may wait for one follower, in UTF-16 units; the lines themselves are shared by all. */
const MAX_QUEUED = 256 * 1024
/** What a line weighs beside its text. */
const LINE_WEIGHT = 64
/** How long the quickest follower waits for the others, in milliseconds. Whoever has made no room by then is cut. */
const GRACE_MS = 250
/** Lines of the end of the log with which the engine's stream begins: more than are written while it opens. */
const OVERLAP_LINES = 200

type Member = { channel: Channel<LogLine[]>, isCut: boolean }
type Hub = { members: Set<Member>, last: LogLine | undefined, stop: AbortController, joined: PromiseWithResolvers<void> }

/**
 * A single follower slows the engine's stream down to its own pace, and so do several that are all slow: the quickest sets the pace. The container is
 * never slowed down, for the engine's stream reads what it has written already.
 */
export function createLogHub (engine: Engine): LogHub {
  const hubs = new Map<string, Hub>()

  function open (container: LogContainer): Hub {
    const hub: Hub = { members: new Set(), last: undefined, stop: new AbortController(), joined: Promise.withResolvers() }
    hubs.set(container.id, hub)
    pump(container, hub).then(() => end(container, hub, ({ channel }) => channel.end('container_ended')), (error: Error) => end(container, hub, ({ channel }) => channel.fail(error)))
    return hub
  }

  async function pump (container: LogContainer, hub: Hub) {
    const query = { tail: OVERLAP_LINES, isFollowing: true, hasStdout: true, hasStderr: true, hasTimestamps: true }
    const output = await openLogs(engine, container, query, { signal: hub.stop.signal })
    const lines = createLineReader(container)
    for await (const chunks of output) await distribute(hub, lines.push(chunks))
    await distribute(hub, lines.flush())
  }

  function end ({ id }: LogContainer, hub: Hub, tell: (member: Member) => void) {
    if (hubs.get(id) === hub) hubs.delete(id)
    for (const member of hub.members) tell(member)
    hub.members.clear()
  }

  function leave ({ id }: LogContainer, hub: Hub, member: Member) {
    hub.members.delete(member)
    member.channel.end('complete')
    if (hub.members.size > 0) return
    hub.stop.abort()
    if (hubs.get(id) === hub) hubs.delete(id)
  }

  return {
    get open () { return hubs.size },
    join (container, signal) {
      const hub = hubs.get(container.id) ?? open(container)
      const member: Member = { channel: createChannel<LogLine[]>(MAX_QUEUED, signal, weightOf), isCut: false }
      const gone = () => leave(container, hub, member)
      hub.members.add(member)
      hub.joined.resolve()
      hub.joined = Promise.withResolvers()
      signal.addEventListener('abort', gone, { once: true })
      if (signal.aborted) gone()
      return {
        after: hub.last,
        get isCut () { return member.isCut },
        batches: () => member.channel.batches(),
        leave () {
          signal.removeEventListener('abort', gone)
          gone()
        }
      }
    }
  }
}

async function distribute (hub: Hub, lines: LogLine[]): Promise<void> {
  if (lines.length === 0) return
  hub.last = lines.at(-1)
  for (const { channel } of hub.members) channel.push(lines)
  while (hub.members.size > 0 && fullOf(hub).length === hub.members.size) await Promise.race([hub.joined.promise, ...fullOf(hub).map(({ channel }) => channel.drained())])
  if (fullOf(hub).length > 0) await waitForLate(hub)
}

async function waitForLate (hub: Hub): Promise<void> {
  const over = new AbortController()
  const late = fullOf(hub)
  await Promise.race([Promise.all(late.map(({ channel }) => channel.drained())), delay(GRACE_MS, undefined, { signal: over.signal }).catch(() => {})])
  over.abort()
  for (const member of late.filter(({ channel }) => channel.isFull)) {
    member.isCut = true
    member.channel.end('too_slow')
    hub.members.delete(member)
  }
}

function fullOf ({ members }: Hub): Member[] {
  return [...members].filter(({ channel }) => channel.isFull)
}

function weightOf (lines: LogLine[]): number {
  return lines.reduce((sum, { line }) => sum + line.length + LINE_WEIGHT, 0)
}
