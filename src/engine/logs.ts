import { pipeline } from 'node:stream'
import type { Readable } from 'node:stream'
import type { CallOptions, Engine } from './engine.ts'
import { createFrameDecoder, createRawDecoder } from './frames.ts'

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

/** Opens the log of a container as a stream of `OutputChunk`. Destroying it, or `options.signal`, frees the engine's stream. */
export async function openLogs (engine: Engine, container: { id: string, isTty: boolean }, query: LogQuery, options: CallOptions = {}): Promise<Readable> {
  const parameters = {
    stdout: query.hasStdout,
    stderr: query.hasStderr,
    timestamps: query.hasTimestamps,
    follow: query.isFollowing,
    tail: query.tail,
    ...(query.since === undefined ? {} : { since: query.since }),
    ...(query.until === undefined ? {} : { until: query.until })
  }
  // dockerode gathers a log that is not followed in memory and parses it when it looks like JSON. Told that it follows, it streams.
  const request = { follow: true, _query: parameters } as unknown as { follow: true }
  const source = await engine.open('containers.logs', (docker, abortSignal) => docker.getContainer(container.id).logs({ ...request, abortSignal }),
    { notFound: 'container_not_found', ...options })
  return pipeline(source as Readable, container.isTty ? createRawDecoder() : createFrameDecoder(), () => {})
}
