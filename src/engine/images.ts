import { addAbortSignal } from 'node:stream'
import { createInterface } from 'node:readline'
import type Docker from 'dockerode'
import { DockApiError } from '../errors.ts'
import type { CallOptions, Engine } from './engine.ts'
import { translateEngineError } from './errors.ts'

export type ImageSummary = Docker.ImageInfo
export type ImageDocument = Docker.ImageInspectInfo

/** Credentials as the engine wants them (Docker API, `X-Registry-Auth`). */
export type RegistryAuth = { username: string, password: string, serveraddress?: string }

/** One line of a pull, as the engine sends it. */
export type PullProgress = {
  id?: string
  status?: string
  error?: string
  progressDetail?: { current?: number, total?: number }
}

export type PullOptions = {
  platform?: string | undefined
  auth?: RegistryAuth | undefined
  onProgress?: ((progress: PullProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

/** A registry that sends nothing for this long is taken for dead, in milliseconds. */
const PULL_IDLE_MS = 120_000

export function listImages (engine: Engine, filters: { reference?: string[], dangling?: string[] } = {}, options?: CallOptions): Promise<ImageSummary[]> {
  return engine.call('images.list', (docker, abortSignal) => docker.listImages({ filters: JSON.stringify(filters), abortSignal }), options)
}

export function inspectImage (engine: Engine, reference: string, options?: CallOptions): Promise<ImageDocument> {
  return engine.call('images.inspect', (docker, abortSignal) => docker.getImage(reference).inspect({ abortSignal } as Docker.ImageInspectOptions), { notFound: 'image_not_local', ...options })
}

/**
 * Pulls an image and resolves when it is on the engine. Errors inside the engine's 200 stream become errors here.
 * @param reference With tag or digest. `signal` cancels the download.
 * @throws DockApiError `image_not_found`, `registry_auth`, `rate_limited`, `registry_unreachable`, `platform_unavailable`.
 */
export async function pullImage (engine: Engine, reference: string, { platform, auth, onProgress, signal }: PullOptions = {}): Promise<void> {
  const idle = new AbortController()
  const timer = setTimeout(() => idle.abort(), PULL_IDLE_MS)
  const ended = AbortSignal.any([idle.signal, ...(signal === undefined ? [] : [signal])])
  try {
    const query = { fromImage: reference, ...(platform === undefined ? {} : { platform }) }
    const stream = await engine.open('images.pull', (docker, abortSignal) => docker.createImage(auth ?? {}, { ...query, abortSignal }),
      { signal: ended, notFound: 'image_not_found', timeoutMs: PULL_IDLE_MS })
    addAbortSignal(ended, stream as NodeJS.ReadableStream & Parameters<typeof addAbortSignal>[1])
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      timer.refresh()
      if (line === '') continue
      const progress = JSON.parse(line) as PullProgress
      if (progress.error !== undefined) throw new Error(progress.error)
      onProgress?.(progress)
    }
    if (ended.aborted) throw ended.reason
  } catch (error) {
    if (idle.signal.aborted && !(signal?.aborted ?? false)) {
      throw new DockApiError('registry_unreachable', `The registry sent nothing of "${reference}" for ${PULL_IDLE_MS / 1000} seconds.`, { cause: error })
    }
    throw translateEngineError(error, { operation: 'images.pull', isTimeout: false, isAborted: signal?.aborted ?? false, notFound: 'image_not_found' })
  } finally {
    clearTimeout(timer)
  }
}
