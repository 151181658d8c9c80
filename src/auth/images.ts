import { inspectImage } from '../engine/images.ts'
import type { Engine } from '../engine/engine.ts'
import { DockApiError } from '../errors.ts'
import { formatReference, isImageId, parseReference } from '../images/reference.ts'
import type { Grant } from './grant.ts'
import { createImageRule } from '../images/image-rule.ts'

/** The images that a token may see: by their names, of which it sees those that fit. */
export function visibleImages<T extends { repo_tags: string[] }> (grant: Grant, images: T[]): T[] {
  if (grant.images === undefined) return images
  return images.map((image) => withVisibleNames(grant, image)).filter(({ repo_tags: names }) => names.length > 0)
}

/** An image with those of its names that the token may see. */
export function withVisibleNames<T extends { repo_tags: string[] }> ({ images: patterns }: Grant, image: T): T {
  return { ...image, repo_tags: image.repo_tags.filter(createImageRule(patterns)) }
}

/** The same for images by repository. */
export function withVisibleTags<T extends { name: string, tags: string[] }> ({ images: patterns }: Grant, images: T[]): T[] {
  if (patterns === undefined) return images
  const isVisible = createImageRule(patterns)
  return images.map((image) => ({ ...image, tags: image.tags.filter((tag) => isVisible(`${image.name}:${tag}`)) })).filter(({ tags }) => tags.length > 0)
}

/**
 * What to ask the engine for when somebody names an image: a name that fits, whole, since the engine takes a short one for the beginning of an
 * id too; an id when the image has a name that fits, for removal only such names.
 * @throws DockApiError `no_such_image` for what the token may not see, `invalid_request`.
 */
export async function visibleImage (grant: Grant, engine: Engine, image: string, { use, where, signal }: { use: 'read' | 'remove', where: 'body' | 'query', signal?: AbortSignal }): Promise<string> {
  if (grant.images === undefined) return image
  const isVisible = createImageRule(grant.images)
  if (!isImageId(image)) {
    const name = formatReference(parseReference(image, where))
    if (isVisible(name)) return name
    throw noSuchImage(image)
  }
  const { RepoTags } = await inspectImage(engine, image, { signal, notFound: 'no_such_image' })
  const names = RepoTags ?? []
  if (use === 'read' ? names.some(isVisible) : names.length > 0 && names.every(isVisible)) return image
  throw noSuchImage(image)
}

function noSuchImage (image: string): DockApiError {
  return new DockApiError('no_such_image', `There is no image "${image}" on the engine.`)
}
