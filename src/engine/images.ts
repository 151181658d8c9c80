import { addAbortSignal } from 'node:stream'
import type Docker from 'dockerode'
import { DockApiError } from '../errors.ts'
import type { CallOptions, Engine } from './engine.ts'
import { abortable } from './docker.ts'
import { translateEngineError } from './errors.ts'
import { createJsonLines } from './json-lines.ts'

export type ImageSummary = Docker.ImageInfo
export type ImageDocument = Docker.ImageInspectInfo

/** Credentials as the engine wants them (Docker API, `X-Registry-Auth`): a name and a password, or a token. */
export type RegistryAuth = { username?: string, password?: string, identitytoken?: string, serveraddress?: string }

/** One line of a pull, as the engine sends it. */
export type PullLine = {
  id?: string
  status?: string
  error?: string
  errorDetail?: { message?: string }
  progressDetail?: { current?: number, total?: number }
}

export type PullOptions = {
  platform?: string | undefined
  auth?: RegistryAuth | undefined
  onLine?: ((line: PullLine) => void) | undefined
  signal?: AbortSignal | undefined
  /** A registry of which nothing comes for this long is taken for dead, in milliseconds; two minutes when left out. */
  idleMs?: number | undefined
}

const PULL_IDLE_MS = 120_000

export function listImages (engine: Engine, filters: { reference?: string[], dangling?: string[] } = {}, options?: CallOptions): Promise<ImageSummary[]> {
  return engine.call('images.list', (docker, abortSignal) => docker.listImages({ filters: JSON.stringify(filters), abortSignal }), options)
}

export function inspectImage (engine: Engine, reference: string, options?: CallOptions): Promise<ImageDocument> {
  return engine.call('images.inspect', (docker, abortSignal) => docker.getImage(reference).inspect({ abortSignal } as Docker.ImageInspectOptions), { notFound: 'image_not_local', ...options })
}

/** One step of how an image was made, newest first. */
export type HistoryEntry = { Id: string, Created: number, CreatedBy: string, Tags: string[] | null, Size: number, Comment: string }
/** What went: a name, or the image itself. */
export type RemovedImage = { Untagged?: string, Deleted?: string }
export type ImageUsage = { Id: string, RepoTags: string[] | null, Labels: Record<string, string> | null, Size: number, SharedSize: number, Containers: number }

/** The engine looks at every layer and volume. */
const DISK_TIMEOUT_MS = 60_000

export async function imageHistory (engine: Engine, reference: string, options?: CallOptions): Promise<HistoryEntry[]> {
  return await engine.call('images.history', (docker) => docker.getImage(reference).history(), { notFound: 'no_such_image', ...options }) as HistoryEntry[]
}

export async function tagImage (engine: Engine, reference: string, name: { repo: string, tag: string }, options?: CallOptions): Promise<void> {
  await engine.call('images.tag', (docker, abortSignal) => docker.getImage(reference).tag({ ...name, abortSignal }), { notFound: 'no_such_image', ...options })
}

/** Takes a name away, and the image with its last one. `isForced`: also all names of an id, and an image that stopped containers use. */
export async function removeImage (engine: Engine, reference: string, { isForced = false } = {}, options?: CallOptions): Promise<RemovedImage[]> {
  return await engine.call('images.remove', (docker, abortSignal) => docker.getImage(reference).remove({ force: isForced, abortSignal }),
    { timeoutMs: DISK_TIMEOUT_MS, notFound: 'no_such_image', ...options }) as RemovedImage[]
}

/** How much each image takes and how many containers use it, stopped ones included. */
export async function imageUsage (engine: Engine, options?: CallOptions): Promise<ImageUsage[]> {
  const usage = await engine.call('system.df', (docker, abortSignal) => abortable(docker).df({ abortSignal }), { timeoutMs: DISK_TIMEOUT_MS, ...options }) as { Images: ImageUsage[] | null }
  return usage.Images ?? []
}

export async function pruneImages (engine: Engine, filters: { dangling: string[], label: string[] }, options?: CallOptions): Promise<{ removed: RemovedImage[], bytes: number }> {
  const { ImagesDeleted: removed, SpaceReclaimed: bytes } = await engine.call('images.prune', (docker, abortSignal) => docker.pruneImages({ filters: JSON.stringify(filters), abortSignal } as { filters: string }),
    { timeoutMs: DISK_TIMEOUT_MS, ...options })
  return { removed: removed ?? [], bytes }
}

/**
 * Pulls an image and resolves when it is on the engine. Errors inside the engine's 200 stream become errors here.
 * @param reference With tag or digest. `signal` cancels the download.
 * @throws DockApiError `image_not_found`, `registry_auth`, `rate_limited`, `registry_unreachable`, `platform_unavailable`.
 */
export async function pullImage (engine: Engine, reference: string, { platform, auth, onLine, signal, idleMs = PULL_IDLE_MS }: PullOptions = {}): Promise<void> {
  const idle = new AbortController()
  const timer = setTimeout(() => idle.abort(), idleMs)
  const ended = AbortSignal.any([idle.signal, ...(signal === undefined ? [] : [signal])])
  try {
    const query = { fromImage: reference, ...(platform === undefined ? {} : { platform }) }
    const stream = await engine.open('images.pull', (docker, abortSignal) => docker.createImage(auth ?? {}, { ...query, abortSignal }),
      { signal: ended, notFound: 'image_not_found', timeoutMs: idleMs })
    addAbortSignal(ended, stream as NodeJS.ReadableStream & Parameters<typeof addAbortSignal>[1])
    const lines = createJsonLines()
    for await (const chunk of stream) {
      timer.refresh()
      for (const line of lines.push(chunk as Buffer)) readLine(line as PullLine | undefined, onLine)
    }
    if (ended.aborted) throw ended.reason
  } catch (error) {
    if (idle.signal.aborted && !(signal?.aborted ?? false)) {
      throw new DockApiError('registry_unreachable', `The registry sent nothing of "${reference}" for ${idleMs / 1000} seconds.`, { cause: error })
    }
    throw translateEngineError(error, { operation: 'images.pull', isTimeout: false, isAborted: signal?.aborted ?? false, notFound: 'image_not_found' })
  } finally {
    clearTimeout(timer)
  }
}

/** @throws Error in the engine's words: newer engines say it in `errorDetail` only (API 1.48). */
function readLine (line: PullLine | undefined, onLine: PullOptions['onLine']): void {
  if (line === undefined) return
  const failure = line.errorDetail?.message ?? line.error
  if (failure !== undefined) throw new Error(failure)
  onLine?.(line)
}
