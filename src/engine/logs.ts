import type { Readable } from 'node:stream'
import type { CallOptions, Engine } from './engine.ts'
import { createFrameParser, createRawParser } from './frames.ts'
import type { OutputChunk, OutputParser } from './frames.ts'

export type LogQuery = {
  /** Lines from the end; `all` for every line. */
  tail: number | 'all'
  isFollowing: boolean
  hasStdout: boolean
  hasStderr: boolean
  hasTimestamps: boolean
  /** Unix time in seconds, with a fraction where wanted. */
  since?: string | undefined
  until?: string | undefined
}

/** To the engine 0 means that no end was said. */
const BEGINNING = '0.000000001'

/** What came of a log, in the pieces in which it came. */
export type LogChunks = AsyncGenerator<OutputChunk[]>

/** Opens the log of a container. Leaving the loop that reads it, or `options.signal`, frees the engine's stream. */
export async function openLogs (engine: Engine, container: { id: string, isTty: boolean }, query: LogQuery, options: CallOptions = {}): Promise<LogChunks> {
  const parameters = {
    stdout: query.hasStdout,
    stderr: query.hasStderr,
    timestamps: query.hasTimestamps,
    follow: query.isFollowing,
    tail: query.tail,
    ...(query.since === undefined ? {} : { since: query.since }),
    ...(query.until === undefined ? {} : { until: Number(query.until) === 0 ? BEGINNING : query.until })
  }
  // dockerode gathers a log that is not followed in memory and parses it when it looks like JSON. Told that it follows, it streams.
  const request = { follow: true, _query: parameters } as unknown as { follow: true }
  const source = await engine.open('containers.logs', (docker, abortSignal) => docker.getContainer(container.id).logs({ ...request, abortSignal }),
    { notFound: 'container_not_found', ...options })
  // Nobody may be reading yet when the stream breaks; who reads then is told.
  source.on('error', () => {})
  return read(source as Readable, container.isTty ? createRawParser() : createFrameParser())
}

/** The engine sends each line by itself; what has come meanwhile is read at once. */
async function * read (source: Readable, parser: OutputParser): LogChunks {
  for await (const bytes of source as AsyncIterable<Buffer>) yield parser.push(bytes)
  parser.end()
}
