import type { Static } from '@sinclair/typebox'
import { inspectImage, listImages, pullImage } from '../engine/images.ts'
import type { Engine } from '../engine/engine.ts'
import { invalidField } from '../errors.ts'
import type { ImageInfo, ImagesQuerySchema, PullRequestSchema, PullResultSchema } from '../../schemas/images.ts'
import { formatReference, isImageId, parseReference } from './reference.ts'

const UNTAGGED = '<none>:<none>'

/** The images on the engine, newest first. */
export async function findImages (engine: Engine, query: Static<typeof ImagesQuerySchema>, signal?: AbortSignal): Promise<ImageInfo[]> {
  const filters = {
    ...(query.reference === undefined ? {} : { reference: [query.reference] }),
    ...(query.dangling === undefined ? {} : { dangling: [String(query.dangling)] })
  }
  const images = await listImages(engine, filters, { signal })
  return images.sort((a, b) => b.Created - a.Created).map((image) => ({
    id: image.Id,
    repo_tags: (image.RepoTags ?? []).filter((tag) => tag !== UNTAGGED),
    size: image.Size,
    created: new Date(image.Created * 1000).toISOString(),
    digest: image.RepoDigests?.find((digest) => !digest.startsWith('<none>')) ?? null
  }))
}

/**
 * Pulls what was asked for, `latest` when no tag was given, and tells whether anything was new.
 * @throws DockApiError `invalid_request` on `image`, and the codes of `pullImage`.
 */
export async function pullByRequest (engine: Engine, request: Static<typeof PullRequestSchema>, signal?: AbortSignal): Promise<Static<typeof PullResultSchema>> {
  if (isImageId(request.image)) throw invalidField('body', '/image', 'is the id of an image, which no registry knows', 'Send a name, such as nginx:latest.')
  const image = formatReference(parseReference(request.image))
  let isUpToDate = false
  await pullImage(engine, image, {
    platform: request.platform,
    auth: request.auth,
    signal,
    onProgress: ({ status }) => { isUpToDate ||= status?.startsWith('Status: Image is up to date') ?? false }
  })
  const { Id: id } = await inspectImage(engine, image, { signal })
  return { id, image, status: isUpToDate ? 'up_to_date' : 'downloaded' }
}
