import type { Readable } from 'node:stream'
import type { Engine } from '../engine/engine.ts'
import { loadLines, openImages } from '../engine/image-archives.ts'
import type { LoadLine } from '../engine/image-archives.ts'
import { inspectImage } from '../engine/images.ts'
import { meaningOf } from '../engine/sentences.ts'
import { DockApiError } from '../errors.ts'
import type { LoadProgress, LoadResult } from '../../schemas/images.ts'
import { plainTar } from './plain-tar.ts'
import { localReference } from './reference.ts'

/** How long a load may take, the upload included, in milliseconds. */
const LOAD_TIMEOUT_MS = 30 * 60_000

/**
 * Images as a tar. All of them are looked for before anything is sent.
 * @throws DockApiError `no_such_image`, `invalid_request` on `image`.
 */
export async function saveImages (engine: Engine, images: readonly string[], signal: AbortSignal): Promise<Readable> {
  await findAll(engine, images, signal)
  return await openImages(engine, images, { signal })
}

/** @throws as `saveImages`. */
export async function findAll (engine: Engine, images: readonly string[], signal: AbortSignal): Promise<void> {
  await Promise.all(images.map(async (image) => await inspectImage(engine, localReference(image, 'query'), { signal, notFound: 'no_such_image' })))
}

/**
 * Loads the images in a tar, plain or packed with gzip. `signal` ends it.
 * @param onProgress Told of each step.
 * @throws DockApiError `load_failed`, `body_too_large`, `disk_full`, `invalid_request` for what is no tar.
 */
export async function loadImages (engine: Engine, body: Readable, maxBytes: number, onProgress: (progress: LoadProgress) => void, signal: AbortSignal): Promise<LoadResult> {
  const tar = plainTar(body, maxBytes)
  const ended = AbortSignal.any([signal, AbortSignal.timeout(LOAD_TIMEOUT_MS)])
  const references: string[] = []
  let broken: unknown
  tar.once('error', (error) => { broken = error })
  try {
    for await (const line of loadLines(engine, tar, { signal: ended, timeoutMs: LOAD_TIMEOUT_MS })) {
      const failure = line.errorDetail?.message ?? line.error
      if (failure !== undefined) throw loadFailed(failure)
      const loaded = /^Loaded image(?: ID)?: (\S+)/.exec(line.stream ?? '')?.[1]
      if (loaded !== undefined) references.push(loaded)
      const progress = progressOf(line)
      if (progress !== undefined) onProgress(progress)
    }
    if (references.length === 0) throw loadFailed('it holds no image')
    return { images: await Promise.all(references.map(async (reference) => await describe(engine, reference, signal))) }
  } catch (error) {
    // The connection to the engine fails too, after what it was given failed.
    throw broken instanceof DockApiError && !signal.aborted ? broken : error
  } finally {
    tar.destroy()
  }
}

async function describe (engine: Engine, reference: string, signal: AbortSignal): Promise<LoadResult['images'][number]> {
  const { Id: id } = await inspectImage(engine, reference, { signal, notFound: 'no_such_image' })
  return { id, image: reference === id ? null : reference }
}

function progressOf ({ id, status, progressDetail }: LoadLine): LoadProgress | undefined {
  if (id === undefined || status === undefined) return undefined
  return { layer: id, status, current: progressDetail?.current ?? null, total: progressDetail?.total ?? null }
}

/** The engine names files of its own machine, whose folders are nobody's business. */
function loadFailed (sentence: string): DockApiError {
  const plain = sentence.replaceAll(/\/\S*docker-import-\d+\//g, '')
  return new DockApiError(meaningOf(sentence, { isPull: false }) ?? 'load_failed', `The archive could not be loaded: ${plain}.`)
}
