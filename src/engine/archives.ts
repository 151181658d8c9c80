import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import type { CallOptions, Engine } from './engine.ts'

/** What the engine tells of a path in a container (Docker API, `X-Docker-Container-Path-Stat`). `mode` is Go's `os.FileMode`. */
export type PathStat = { name: string, size: number, mode: number, mtime: string, linkTarget: string }

const STAT_HEADER = 'x-docker-container-path-stat'
/** A folder of many files takes the engine a while before its first byte. */
const OPEN_TIMEOUT_MS = 60_000

/** Does not follow a symbolic link, but tells where it leads, as a path in the container. `path_not_found` when there is nothing. */
export async function statPath (engine: Engine, id: string, path: string, options?: CallOptions): Promise<PathStat> {
  const response = await engine.call('archive.stat', (docker, abortSignal) => docker.getContainer(id).infoArchive({ path, abortSignal }), { notFound: 'path_not_found', ...options }) as unknown as IncomingMessage
  response.resume()
  return JSON.parse(Buffer.from(response.headers[STAT_HEADER] as string, 'base64').toString()) as PathStat
}

/** A path as a tar stream; its entries begin with the last part of the path. `options.signal` covers the whole stream. */
export async function openArchive (engine: Engine, id: string, path: string, options: CallOptions & { signal: AbortSignal }): Promise<Readable> {
  const stream = await engine.open('archive.get', (docker, abortSignal) => docker.getContainer(id).getArchive({ path, abortSignal }), { timeoutMs: OPEN_TIMEOUT_MS, notFound: 'path_not_found', ...options })
  return addAbortSignal(options.signal, stream as Readable)
}

/**
 * Unpacks a tar into a folder of a container. A folder never takes the place of a file, nor a file of a folder.
 * `options.timeoutMs` covers all of it.
 */
export async function putArchive (engine: Engine, id: string, path: string, tar: Readable, options: CallOptions): Promise<void> {
  const query = { path, noOverwriteDirNonDir: '1' }
  await engine.call('archive.put', (docker, abortSignal) => docker.getContainer(id).putArchive(tar, { ...query, abortSignal } as { path: string }), { isLong: true, notFound: 'path_not_found', ...options })
}
