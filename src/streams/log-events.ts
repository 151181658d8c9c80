import { setTimeout as delay } from 'node:timers/promises'
import type { Readable } from 'node:stream'
import type { Containers } from '../containers/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { EngineEvent } from '../engine/events.ts'
import type { OutputChunk } from '../engine/frames.ts'
import { openLogs } from '../engine/logs.ts'
import type { LogQuery } from '../engine/logs.ts'
import { isDockApiError } from '../errors.ts'
import type { LogsQuery } from '../../schemas/logs.ts'
import type { StreamSource } from './delivery.ts'
import type { EndReason, StreamEvent } from './encoder.ts'
import type { EventHub } from './event-hub.ts'
import { createLineFilter } from './line-filter.ts'
import { createLogCursor } from './log-cursor.ts'
import type { LogCursor } from './log-cursor.ts'
import { createLineReader } from './log-lines.ts'
import type { LogLine } from './log-lines.ts'
import { logRequest } from './logs.ts'

export type LogEvent = StreamEvent & { data: LogLine & { container?: string } }

export type LogSources = { containers: Containers, events: EventHub }

/** A log that ended while its container runs is asked for again after this pause, in milliseconds: the engine ends the log before it notes the end. */
const SETTLE_MS = 100

/**
 * The log of a container, line by line.
 * @param lastId Id of the last line that the client has; the log goes on after it, whatever `tail` and `since` say.
 * @throws DockApiError `invalid_request`, `logs_unavailable`, `container_not_found`.
 */
export async function openLogEvents ({ containers, events }: LogSources, document: ContainerDocument, query: LogsQuery, lastId: string | undefined, signal: AbortSignal): Promise<StreamSource> {
  const isWanted = createLineFilter(query)
  const cursor = createLogCursor(lastId)
  const container = { id: document.Id, isTty: document.Config.Tty }
  const request: LogQuery = { ...logRequest(document, query), hasTimestamps: true }
  const openedAt = (Date.now() / 1000).toFixed(3)
  const open = (from: Partial<LogQuery>) => openLogs(containers.engine, container, { ...request, ...from }, { signal })
  const first = await open(cursor.since === undefined ? {} : { tail: 'all', since: cursor.since })

  async function * read (output: Readable): AsyncGenerator<LogEvent[]> {
    const lines = createLineReader(container)
    const select = (all: LogLine[]) => all.flatMap((line) => eventOf(line, cursor, isWanted))
    for await (const chunk of output as AsyncIterable<OutputChunk>) {
      const batch = select(lines.push(chunk))
      if (batch.length > 0) yield batch
    }
    yield select(lines.flush())
  }

  async function * follow (): StreamSource {
    yield * read(first)
    while (query.follow === 'restart') {
      if (!await runsAgain(container.id)) return 'container_removed'
      cursor.rewind()
      yield * read(await open({ tail: 'all', since: cursor.since ?? (request.tail === 0 ? openedAt : request.since) }))
    }
    return endReason(request)
  }

  /** Resolves when the container runs, or with false when it is gone. */
  async function runsAgain (id: string): Promise<boolean> {
    await delay(SETTLE_MS, undefined, { signal })
    const waiting = new AbortController()
    const isItsStartOrEnd = (event: EngineEvent) => event.id === id && (event.action === 'start' || event.action === 'destroy')
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

  return follow()
}

/** How a line reads as text. */
export function textOfLog ({ data }: StreamEvent, hasTimestamps: boolean): string {
  const { container, time, line, partial } = data as LogEvent['data']
  return `${container === undefined ? '' : `${container} | `}${hasTimestamps ? `${time} ` : ''}${line}${partial === true ? '' : '\n'}`
}

/** Every line is counted, wanted or not: the ids are those of the log. */
function eventOf (line: LogLine, cursor: LogCursor, isWanted: (line: string) => boolean): LogEvent[] {
  const id = cursor.take(line.time)
  return id !== undefined && isWanted(line.line) ? [{ event: 'log', id, data: line }] : []
}

function endReason ({ isFollowing, until }: LogQuery): EndReason {
  if (!isFollowing) return 'complete'
  return until !== undefined && Number(until) <= Date.now() / 1000 ? 'until_reached' : 'container_ended'
}
