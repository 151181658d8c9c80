import type { Engine } from '../engine/engine.ts'
import { openLogs } from '../engine/logs.ts'
import type { LogChunks, LogQuery } from '../engine/logs.ts'
import type { EndReason } from './encoder.ts'
import type { LogContainer, LogHub } from './log-hub.ts'
import { createLineReader, ENGINE_PIECE_BYTES } from './log-lines.ts'
import type { LogLine } from './log-lines.ts'

/** A log that is followed, both outputs: first what stood in it, then what comes, without hole or double. */
export type SharedLog = {
  past: AsyncGenerator<LogLine[]>
  /** To be read after `past`. */
  live: AsyncGenerator<LogLine[], EndReason>
}

export type SharedLogStart = Pick<LogQuery, 'tail' | 'since'>

/** How much earlier than the line before it a line may be stamped, in milliseconds: stdout and stderr are stamped first and written one after the other. */
const SLACK_MS = 1000
/** Lines from which the end of a log is told: one of them is whole. */
const END_LINES = 10
const BOTH = { hasStdout: true, hasStderr: true, hasTimestamps: true } as const

/**
 * Opens the log of a container: the past on a stream of the engine of its own, what comes from the hub. The hub is joined first; so the last line of the past
 * is the last that the hub gave before, or one that it will give, and what comes begins after it. Who falls behind while still in the past goes on with a
 * stream of the engine of its own, at its own pace.
 * @throws DockApiError `container_not_found` and those of the engine.
 */
export async function openSharedLog (engine: Engine, hub: LogHub, container: LogContainer, start: SharedLogStart, signal: AbortSignal): Promise<SharedLog> {
  const follower = hub.join(container, signal)
  const open = (query: SharedLogStart & { isFollowing?: boolean }) => openLogs(engine, container, { isFollowing: false, ...BOTH, ...query }, { signal })
  let last: LogLine | undefined

  try {
    // Where nothing of the past is wanted, or nothing may be found, the end of the log is asked for by itself.
    if (start.tail === 0 || start.since !== undefined) last = await lastLine(await open({ tail: END_LINES }))
    const stored = start.tail === 0 ? undefined : await open(start)
    return { past: readPast(stored), live: readLive() }
  } catch (error) {
    follower.leave()
    throw error
  }

  async function lastLine (output: LogChunks): Promise<LogLine | undefined> {
    let line: LogLine | undefined
    for await (const lines of linesOf(output)) line = lines.at(-1) ?? line
    return line
  }

  async function * readPast (stored: LogChunks | undefined): AsyncGenerator<LogLine[]> {
    if (stored === undefined) return
    let isDone = false
    try {
      for await (const lines of linesOf(stored)) {
        last = lines.at(-1) ?? last
        yield lines
      }
      isDone = true
    } finally {
      if (!isDone) follower.leave()
    }
  }

  async function * linesOf (output: LogChunks): AsyncGenerator<LogLine[]> {
    const reader = createLineReader(container)
    for await (const chunks of output) {
      const lines = reader.push(chunks)
      if (lines.length > 0) yield lines
    }
    yield reader.flush().filter((line) => !mayGoOn(line))
  }

  async function * readLive (): AsyncGenerator<LogLine[], EndReason> {
    const isLate = follower.isCut
    const batches = follower.batches()
    const place = createPlace(isSameLine(last, follower.after) ? undefined : last)
    try {
      if (isLate) return yield * readOwn(last)
      for (;;) {
        const next = await batches.next()
        if (next.done === true) return next.value
        const lines = place.after(next.value.flat())
        if (place.isLost) return yield * readOwn(last)
        if (lines.length > 0) yield lines
      }
    } finally {
      follower.leave()
    }
  }

  async function * readOwn (from: LogLine | undefined): AsyncGenerator<LogLine[], EndReason> {
    follower.leave()
    const reader = createLineReader(container)
    const place = createPlace(from)
    const output = await open({ isFollowing: true, tail: 'all', ...(from === undefined ? {} : { since: String((Date.parse(from.time) - SLACK_MS) / 1000) }) })
    for await (const chunks of output) {
      const lines = place.after(reader.push(chunks))
      if (lines.length > 0) yield lines
    }
    yield place.after(reader.flush())
    return 'container_ended'
  }
}

/** Finds where the lines that come go on after one that was read. */
function createPlace (from: LogLine | undefined) {
  let isFound = from === undefined
  let isLost = false

  /** The lines after the one that was read; once that is gone from the log, those that are later than it. */
  function after (lines: LogLine[]): LogLine[] {
    if (isFound || from === undefined) return lines
    const index = lines.findIndex((line) => isSameLine(line, from))
    isFound = index !== -1
    if (isFound) return lines.slice(index + 1)
    const late = lines.findIndex(({ time }) => Date.parse(time) - Date.parse(from.time) > SLACK_MS)
    if (late === -1) return []
    isFound = isLost = true
    return lines.slice(late)
  }

  return { after, get isLost () { return isLost } }
}

/** The engine stores a line that is not complete in whole pieces only. What is not one was the end of an earlier run; a piece comes again, with the rest of its line. */
function mayGoOn ({ line }: LogLine): boolean {
  return Buffer.byteLength(line) % ENGINE_PIECE_BYTES === 0
}

/** Docker's times have nanoseconds: two lines of one output with one time are pieces of one. */
function isSameLine (one: LogLine | undefined, other: LogLine | undefined): boolean {
  return one !== undefined && other !== undefined && one.time === other.time && one.stream === other.stream && one.line === other.line
}
