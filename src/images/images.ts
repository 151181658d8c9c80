import type { Static } from '@sinclair/typebox'
import { listImages } from '../engine/images.ts'
import type { Engine } from '../engine/engine.ts'
import { invalidField } from '../errors.ts'
import type { ImageInfo, ImagesQuerySchema, PullRequestSchema } from '../../schemas/images.ts'
import type { PullOrder } from './pulls.ts'
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
 * What a request asks to pull: `latest` when it names no tag.
 * @throws DockApiError `invalid_request` on `image`.
 */
export function pullOrder (request: Static<typeof PullRequestSchema>): PullOrder {
  if (isImageId(request.image)) throw invalidField('body', '/image', 'is the id of an image, which no registry knows', 'Send a name, such as nginx:latest.')
  return { image: formatReference(parseReference(request.image)), platform: request.platform, auth: request.auth }
}
