import { Readable } from 'node:stream'
import { decodeEntries } from '../lifecycle/kept-log.ts'
import type { LogEntry } from '../lifecycle/kept-log.ts'
import type { Remains } from '../store/tombstones.ts'
import type { LogsQuery } from '../../schemas/logs.ts'
import type { StreamSource } from './delivery.ts'
import { createLineFilter } from './line-filter.ts'
import { createLogCursor, unixSeconds } from './log-cursor.ts'
import { eventOf } from './log-events.ts'
import type { LogEvent } from './log-events.ts'
import { createLineReader } from './log-lines.ts'
import type { LogLine } from './log-lines.ts'
import { checkOutputs, parseMoment } from './logs.ts'

/** The last lines of a container that is gone, as the bytes that it wrote. @throws DockApiError `invalid_request`. */
export function readKeptLog (remains: Remains, query: LogsQuery): Readable {
  const bytes = selectEntries(remains, query).flatMap(({ time, bytes }) => query.timestamps ? [Buffer.from(`${time} `), bytes] : [bytes])
  return Readable.from([Buffer.concat(bytes)], { objectMode: false })
}

/** The same line by line, with the ids that the lines had while the container was there. @throws DockApiError `invalid_request`. */
export async function openKeptLog (remains: Remains, query: LogsQuery, lastId: string | undefined): Promise<StreamSource> {
  const isWanted = createLineFilter(query)
  const cursor = createLogCursor(lastId)
  const { since } = cursor
  const entries = since === undefined ? selectEntries(remains, query) : ofOutputs(decodeEntries(remains.log), query).filter(({ time }) => unixSeconds(time) >= since)
  const events = linesOf(entries, remains.isTty).flatMap((line): LogEvent[] => eventOf(line, cursor, isWanted))

  async function * tell (): StreamSource {
    yield events
    return 'container_removed'
  }
  return tell()
}

/** As the engine selects: the last lines, and of these what lies between the times. */
function selectEntries ({ log }: Remains, query: LogsQuery): LogEntry[] {
  checkOutputs(query)
  const nowMs = Date.now()
  const since = query.since === undefined ? -Infinity : Number(parseMoment(query.since, '/since', nowMs))
  const until = query.until === undefined ? Infinity : Number(parseMoment(query.until, '/until', nowMs))
  const entries = decodeEntries(log)
  const last = query.tail === 'all' ? entries : entries.slice(Math.max(entries.length - Number(query.tail), 0))
  return ofOutputs(last, query).filter(({ time }) => Number(unixSeconds(time)) >= since && Number(unixSeconds(time)) < until)
}

function ofOutputs (entries: LogEntry[], { stdout, stderr }: LogsQuery): LogEntry[] {
  return entries.filter(({ output }) => output === 'stdout' ? stdout : stderr)
}

function linesOf (entries: LogEntry[], isTty: boolean): LogLine[] {
  const reader = createLineReader({ isTty: false })
  const chunks = entries.map(({ output, time, bytes }) => ({ output, bytes: Buffer.concat([Buffer.from(`${time} `), bytes]), startsFrame: true }))
  const lines = [...reader.push(chunks), ...reader.flush()]
  return isTty ? lines.map((line) => ({ ...line, line: line.line.replace(/\r$/, '') })) : lines
}
