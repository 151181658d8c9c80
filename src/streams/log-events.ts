import { setTimeout as delay } from 'node:timers/promises'
import type { Containers } from '../containers/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { EngineEvent } from '../engine/events.ts'
import { openLogs } from '../engine/logs.ts'
import type { LogChunks, LogQuery } from '../engine/logs.ts'
import { isDockApiError } from '../errors.ts'
import type { LogsQuery } from '../../schemas/logs.ts'
import type { StreamSource } from './delivery.ts'
import type { EndReason, StreamEvent } from './encoder.ts'
import type { EventHub } from './event-hub.ts'
import { createLineFilter } from './line-filter.ts'
import { createLogCursor } from './log-cursor.ts'
import type { LogCursor } from './log-cursor.ts'
import type { LogHub } from './log-hub.ts'
import { createLineReader } from './log-lines.ts'
import type { LogLine } from './log-lines.ts'
import { logRequest } from './logs.ts'
import { openSharedLog } from './shared-log.ts'
import type { SharedLog, SharedLogStart } from './shared-log.ts'

export type LogEvent = StreamEvent & { event: 'log', data: LogLine & { container_id?: string, container_name?: string } }
/** A container whose log is not read, because there are too many. */
export type LeftOutEvent = StreamEvent & { event: 'left_out', data: { container_id: string, container_name: string, detail: string } }

export type LogSources = { containers: Containers, events: EventHub, logs: LogHub }

/** A log that ended while its container runs is asked for again after this pause, in milliseconds: the engine ends the log before it notes the end. */
const SETTLE_MS = 100

/**
 * The log of a container, line by line. Those who follow one log share one stream of the engine.
 * @param lastId Id of the last line that the client has; the log goes on after it, whatever `tail` and `since` say.
 * @throws DockApiError `invalid_request`, `logs_unavailable`, `container_not_found`.
 */
export async function openLogEvents ({ containers, events, logs }: LogSources, document: ContainerDocument, query: LogsQuery, lastId: string | undefined, signal: AbortSignal): Promise<StreamSource> {
  const isWanted = createLineFilter(query)
  const cursor = createLogCursor(lastId)
  const container = { id: document.Id, isTty: document.Config.Tty }
  const request: LogQuery = { ...logRequest(document, query), hasTimestamps: true }
  const openedAt = (Date.now() / 1000).toFixed(3)
  const isShared = canShare(document, request) || (query.follow === 'restart' && request.until === undefined)
  const share = (start: SharedLogStart) => openSharedLog(containers.engine, logs, container, start, signal)
  const start = cursor.since === undefined ? { tail: request.tail, since: request.since } : { tail: 'all' as const, since: cursor.since }
  return isShared ? followShared(await share(start)) : readOnce(await openLogs(containers.engine, container, { ...request, ...start }, { signal }))

  function select (lines: LogLine[]): LogEvent[] {
    return lines.flatMap((line) => isOfRequest(line, request) ? eventOf(line, cursor, isWanted) : [])
  }

  async function * readOnce (output: LogChunks): StreamSource {
    const lines = createLineReader(container)
    for await (const chunks of output) {
      const batch = select(lines.push(chunks))
      if (batch.length > 0) yield batch
    }
    yield select(lines.flush())
    return endReason(request)
  }

  async function * followShared (first: SharedLog): StreamSource {
    let log = first
    for (;;) {
      for await (const lines of log.past) yield select(lines)
      const reason = yield * selectAll(log.live)
      if (query.follow !== 'restart' || reason !== 'container_ended') return reason
      if (!await runsAgain(container.id)) return 'container_removed'
      cursor.rewind()
      log = await share({ tail: 'all', since: cursor.since ?? (request.tail === 0 ? openedAt : request.since) })
    }
  }

  async function * selectAll (live: SharedLog['live']): StreamSource {
    try {
      for (;;) {
        const next = await live.next()
        if (next.done === true) return next.value
        const batch = select(next.value)
        if (batch.length > 0) yield batch
      }
    } finally {
      await live.return('complete')
    }
  }

  /** Resolves when the container runs, or with false when it is gone. */
  async function runsAgain (id: string): Promise<boolean> {
    await delay(SETTLE_MS, undefined, { signal })
    const waiting = new AbortController()
    const isItsStartOrEnd = (event: EngineEvent) => event.type === 'container' && event.id === id && (event.action === 'start' || event.action === 'destroy')
    const changes = await events.subscribe(isItsStartOrEnd, AbortSignal.any([signal, waiting.signal]))
    try {
      for (;;) {
        if ((await containers.find(id, signal)).State.Running) return true
        signal.throwIfAborted()
        await changes.next()
      }
    } catch (error) {
      if (isDockApiError(error, 'container_not_found')) return false
      throw error
    } finally {
      waiting.abort()
    }
  }
}

/** How a line reads as text. */
export function textOfLog ({ event, data }: StreamEvent, hasTimestamps: boolean): string {
  if (event === 'left_out') return textOfLeftOut(data as LeftOutEvent['data'])
  const { container_name: container, time, line, partial } = data as LogEvent['data']
  return `${container === undefined ? '' : `${container} | `}${hasTimestamps ? `${time} ` : ''}${line}${partial === true ? '' : '\n'}`
}

function textOfLeftOut ({ container_name: container, detail }: LeftOutEvent['data']): string {
  return `${container} | ${detail}\n`
}

/** Every line is counted, wanted or not: the ids are those of the log. */
export function eventOf (line: LogLine, cursor: LogCursor, isWanted: (line: string) => boolean): LogEvent[] {
  const id = cursor.take(line.time)
  return id !== undefined && isWanted(line.line) ? [{ event: 'log', id, data: line }] : []
}

function isOfRequest ({ stream }: LogLine, { hasStdout, hasStderr }: LogQuery): boolean {
  return stream === 'stdout' ? hasStdout : hasStderr
}

/** What ends by itself, or begins in the future, is read on a stream of its own. */
function canShare ({ State: state }: ContainerDocument, { isFollowing, since, until }: LogQuery): boolean {
  return isFollowing && state.Running && until === undefined && (since === undefined || Number(since) <= Date.now() / 1000)
}

function endReason ({ isFollowing, until }: LogQuery): EndReason {
  if (!isFollowing) return 'complete'
  return until !== undefined && Number(until) <= Date.now() / 1000 ? 'until_reached' : 'container_ended'
}
