import type { Static } from '@sinclair/typebox'
import { imageHistory, imageUsage, inspectImage, listImages, pruneImages, removeImage, tagImage } from '../engine/images.ts'
import type { RemovedImage } from '../engine/images.ts'
import type { Engine } from '../engine/engine.ts'
import { invalidField } from '../errors.ts'
import type {
  ImageDetail, ImageInfo, ImagesQuerySchema, ImageStep, PruneRequestSchema, PruneResult, PullRequestSchema, RemovedImages, RemoveImageQuerySchema, TagRequestSchema, TagResultSchema
} from '../../schemas/images.ts'
import type { PullOrder } from './pulls.ts'
import { formatReference, isImageId, localReference, parseReference } from './reference.ts'

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
    repo_tags: namesOf(image.RepoTags),
    size: image.Size,
    created: timeOf(image.Created),
    digest: digestOf(image.RepoDigests)
  }))
}

/** @throws DockApiError `no_such_image`, `invalid_request`. */
export async function describeImage (engine: Engine, image: string, signal?: AbortSignal): Promise<ImageDetail> {
  const document = await inspectImage(engine, localReference(image, 'query'), { signal, notFound: 'no_such_image' })
  const config: Partial<typeof document.Config> = document.Config ?? {}
  return {
    id: document.Id,
    repo_tags: namesOf(document.RepoTags),
    size: document.Size,
    created: new Date(document.Created).toISOString(),
    digest: digestOf(document.RepoDigests),
    os: document.Os,
    architecture: document.Architecture,
    layers: document.RootFS.Layers?.length ?? 0,
    ports: Object.keys(config.ExposedPorts ?? {}),
    command: [config.Cmd ?? []].flat(),
    entrypoint: [config.Entrypoint ?? []].flat(),
    workdir: config.WorkingDir || null,
    user: config.User || null,
    env: (config.Env ?? []).map((variable) => variable.split('=', 1)[0]!),
    volumes: Object.keys(config.Volumes ?? {}),
    labels: config.Labels ?? {}
  }
}

/** How the image was made, the last step first. @throws as `describeImage`. */
export async function describeHistory (engine: Engine, image: string, signal?: AbortSignal): Promise<ImageStep[]> {
  const steps = await imageHistory(engine, localReference(image, 'query'), { signal })
  return steps.map(({ Id: id, Created, CreatedBy, Size, Tags, Comment }) => ({
    id: isImageId(id) ? id : null, created: timeOf(Created), created_by: CreatedBy, size: Size, tags: Tags ?? [], comment: Comment
  }))
}

/** Gives an image one more name, and takes it from the image that had it. @throws as `describeImage`. */
export async function nameImage (engine: Engine, request: Static<typeof TagRequestSchema>, signal?: AbortSignal): Promise<Static<typeof TagResultSchema>> {
  const image = localReference(request.image, 'body')
  const { repository, tag = 'latest', digest } = parseReference(request.name, 'body', '/name')
  if (digest !== undefined) throw invalidField('body', '/name', 'has a digest, which comes from the content and cannot be given')
  const { Id: id } = await inspectImage(engine, image, { signal, notFound: 'no_such_image' })
  await tagImage(engine, id, { repo: repository, tag })
  return { id, image: `${repository}:${tag}` }
}

/**
 * Takes a name away, and the image with its last one; by id, the image.
 * @throws DockApiError `no_such_image`, `image_in_use`, `engine_conflict`.
 */
export async function forgetImage (engine: Engine, { image, force }: Static<typeof RemoveImageQuerySchema>): Promise<RemovedImages> {
  return whatWent(await removeImage(engine, localReference(image, 'query'), { isForced: force }))
}

/** Removes images that no container uses, or tells which ones and how much they take. */
export async function pruneUnused (engine: Engine, { dry_run: isDry = false, all = false, label = [] }: Static<typeof PruneRequestSchema>, signal?: AbortSignal): Promise<PruneResult> {
  if (!isDry) {
    const { removed, bytes } = await pruneImages(engine, { dangling: [String(!all)], label })
    return { dry_run: false, ...whatWent(removed), bytes }
  }
  const unused = (await imageUsage(engine, { signal }))
    .filter(({ Containers, RepoTags, Labels }) => Containers === 0 && (all || namesOf(RepoTags).length === 0) && label.every((wanted) => hasLabel(Labels ?? {}, wanted)))
  return {
    dry_run: true,
    untagged: unused.flatMap(({ RepoTags }) => namesOf(RepoTags)),
    deleted: unused.map(({ Id }) => Id),
    bytes: unused.reduce((bytes, { Size, SharedSize }) => bytes + Size - Math.max(SharedSize, 0), 0)
  }
}

/**
 * What a request asks to pull: `latest` when it names no tag.
 * @throws DockApiError `invalid_request` on `image`.
 */
export function pullOrder (request: Static<typeof PullRequestSchema>, where: 'body' | 'query' = 'body'): PullOrder {
  if (isImageId(request.image)) throw invalidField(where, '/image', 'is the id of an image, which no registry knows', 'Send a name, such as nginx:latest.')
  return { image: formatReference(parseReference(request.image, where)), platform: request.platform, auth: request.auth }
}

function namesOf (tags: readonly string[] | null | undefined): string[] {
  return (tags ?? []).filter((tag) => tag !== UNTAGGED)
}

function digestOf (digests: readonly string[] | null | undefined): string | null {
  return digests?.find((digest) => !digest.startsWith('<none>')) ?? null
}

function timeOf (seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

function whatWent (removed: RemovedImage[]): RemovedImages {
  return {
    untagged: removed.flatMap(({ Untagged }) => Untagged ?? []),
    deleted: removed.flatMap(({ Deleted }) => Deleted ?? [])
  }
}

/** The engine's own rule: `key` is there, or `key=value` exactly. */
function hasLabel (labels: Record<string, string>, wanted: string): boolean {
  const [key, ...value] = wanted.split('=')
  return Object.hasOwn(labels, key!) && (value.length === 0 || labels[key!] === value.join('='))
}
