import { listContainers } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { inspectImage, listImages, removeImage } from '../engine/images.ts'
import { DockApiError } from '../errors.ts'
import { localReference } from './reference.ts'

/** An image as a repository has it. */
export type RepositoryImage = { id: string, name: string, tags: string[] }

/** The images on the engine by repository, newest first: one entry for each image of a repository, so that an id stands for exactly the tags beside it. */
export async function listByRepository (engine: Engine, signal?: AbortSignal): Promise<RepositoryImage[]> {
  const images = (await listImages(engine, {}, { signal })).sort((a, b) => b.Created - a.Created)
  const entries = images.flatMap((image) => entriesOf(image.Id, image.RepoTags ?? [], image.RepoDigests ?? []))
  const byName = Map.groupBy(entries, ({ name }) => name)
  return [...byName.values()].flat()
}

/**
 * Takes one tag away, and the image with its last one.
 * @param repository Needed when several repositories have an image of this id and tag.
 * @throws DockApiError `no_such_image`, `ambiguous_tag`, `image_in_use`.
 */
export async function forgetTag (engine: Engine, image: string, tag: string, repository?: string): Promise<string> {
  const { Id: id, RepoTags: tags } = await inspectImage(engine, localReference(image, 'path'), { notFound: 'no_such_image' })
  const entries = entriesOf(id, tags ?? [], []).filter((entry) => entry.tags.includes(tag) && (repository === undefined || entry.name === repository))
  if (entries.length === 0) throw new DockApiError('no_such_image', `The image ${id} has no tag "${tag}"${repository === undefined ? '' : ` in "${repository}"`}.`)
  if (entries.length > 1) throw new DockApiError('ambiguous_tag', `The image ${id} has the tag "${tag}" in ${entries.map(({ name }) => name).join(', ')}.`)
  await removeImage(engine, `${entries[0]!.name}:${tag}`)
  return id
}

/**
 * Removes an image with all its names. By force, since the engine takes several names at once in no other way; so whatever uses it is looked for before.
 * @throws DockApiError `no_such_image`, `image_in_use`, `engine_conflict` for one that others were built on.
 */
export async function forgetWholly (engine: Engine, image: string): Promise<string> {
  const { Id: id } = await inspectImage(engine, localReference(image, 'path'), { notFound: 'no_such_image' })
  const isUsed = (await listContainers(engine)).some(({ ImageID }) => ImageID === id)
  if (isUsed) throw new DockApiError('image_in_use', `Containers were made from the image ${id}.`, { hint: 'Remove them first.' })
  await removeImage(engine, id, { isForced: true })
  return id
}

/** Images without any name have one entry; the repository that a digest names is all that is left of theirs. */
function entriesOf (id: string, references: readonly string[], digests: readonly string[]): RepositoryImage[] {
  const names = references.filter((reference) => reference !== '<none>:<none>')
  if (names.length === 0) return [{ id, name: digests[0]?.split('@', 1)[0]?.replace('<none>', '') ?? '', tags: [] }]
  const byName = Map.groupBy(names, (reference) => reference.slice(0, reference.lastIndexOf(':')))
  return [...byName].map(([name, all]) => ({ id, name, tags: all.map((reference) => reference.slice(name.length + 1)) }))
}
