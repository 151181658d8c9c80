import { Readable } from 'node:stream'
import { DockApiError, invalidField } from '../errors.ts'
import type { Containers } from '../containers/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import { openLogs } from '../engine/logs.ts'
import type { LogChunks, LogQuery } from '../engine/logs.ts'
import type { LogsQuery } from '../../schemas/logs.ts'

/** Log drivers that the engine can read back on every version; newer engines cache the others (`docker logs` reference). */
const DRIVERS_WITHOUT_LOGS = new Set(['none'])

/**
 * The log of a container as the bytes that it wrote, both outputs in order, no framing. Ends with the container when it
 * follows; destroying the stream or aborting `signal` frees the engine's stream.
 * @throws DockApiError `invalid_request`, `logs_unavailable`, `container_not_found`.
 */
export async function readLogs (containers: Containers, document: ContainerDocument, query: LogsQuery, signal: AbortSignal): Promise<Readable> {
  const output = await openLogs(containers.engine, { id: document.Id, isTty: document.Config.Tty }, logRequest(document, query), { signal })
  return Readable.from(bytesOf(output), { objectMode: false })
}

/**
 * What is asked of the engine for a query.
 * @throws DockApiError `invalid_request`, `logs_unavailable`.
 */
export function logRequest (document: ContainerDocument, query: LogsQuery): LogQuery {
  checkOutputs(query)
  const driver = document.HostConfig.LogConfig?.Type
  if (driver !== undefined && DRIVERS_WITHOUT_LOGS.has(driver)) {
    throw new DockApiError('logs_unavailable', `The container "${document.Name.slice(1)}" uses the log driver "${driver}", which keeps no logs.`)
  }
  const nowMs = Date.now()
  return {
    tail: query.tail === 'all' ? 'all' : Number(query.tail),
    isFollowing: query.follow !== 'false',
    hasStdout: query.stdout,
    hasStderr: query.stderr,
    hasTimestamps: query.timestamps,
    since: query.since === undefined ? undefined : parseMoment(query.since, '/since', nowMs),
    until: query.until === undefined ? undefined : parseMoment(query.until, '/until', nowMs)
  }
}

/** @throws DockApiError `invalid_request`. */
export function checkOutputs ({ stdout, stderr }: LogsQuery): void {
  if (!stdout && !stderr) throw invalidField('query', '/stdout', 'and stderr are both false, so there is nothing to read')
}

const UNITS_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A moment as the engine wants it, Unix seconds: from Unix seconds, an RFC 3339 time, or an age (`10m`).
 * @throws DockApiError `invalid_request` on the field.
 */
export function parseMoment (text: string, pointer: string, nowMs: number): string {
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text
  const age = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  const timeMs = age === null ? Date.parse(text) : nowMs - Number(age[1]) * UNITS_MS[age[2]!]!
  if (!Number.isFinite(timeMs)) throw invalidField('query', pointer, `"${text}" is no moment`, 'Write Unix seconds, an RFC 3339 time such as 2026-01-05T10:00:00Z, or an age such as 10m.')
  return (Math.max(timeMs, 0) / 1000).toFixed(3)
}

async function * bytesOf (output: LogChunks): AsyncGenerator<Buffer> {
  for await (const chunks of output) if (chunks.length > 0) yield Buffer.concat(chunks.map(({ bytes }) => bytes))
}
