import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable, oneOf, ref } from './model.ts'
import { ProblemSchema } from './problem.ts'

export const ImageInfoSchema = model('ImageInfo', {
  id: Type.String({ description: 'Full id, `sha256:…`.' }),
  repo_tags: Type.Array(Type.String()),
  size: Type.Integer({ description: 'Bytes.' }),
  created: Type.String({ format: 'date-time' }),
  digest: nullable(Type.String({ description: 'Digest in its registry; null for an image that was built here.' }))
}, {
  description: 'An image on the engine.',
  examples: [{
    id: 'sha256:3b25b682ea82b2db3cc4fd48db818be788ee3f902ac7378090cf2624ec2442df',
    repo_tags: ['nginx:latest'],
    size: 192481321,
    created: '2026-01-02T00:00:00.000Z',
    digest: 'nginx@sha256:447a8665cc1dab95b1ca778e162215839ccbb9189104c79d7ec3a81e14577add'
  }]
})
export type ImageInfo = Static<typeof ImageInfoSchema>

export const ImagesQuerySchema = Type.Object({
  reference: Type.Optional(Type.String({ minLength: 1, description: 'Pattern for the name, such as `nginx:*`.' })),
  dangling: Type.Optional(Type.Boolean({ description: 'Only images without (`true`) or with (`false`) a tag.' }))
}, { additionalProperties: false })

export const PullRequestSchema = model('PullRequest', {
  image: Type.String({ minLength: 1, maxLength: 1024, description: 'Image reference; no tag means `latest`.' }),
  platform: Type.Optional(Type.String({ pattern: '^[a-z0-9]+(/[a-z0-9_]+){0,2}$', description: 'Of the image, such as `linux/arm64`.' })),
  auth: Type.Optional(Type.Object({
    username: Type.String({ minLength: 1 }),
    password: Type.String({ minLength: 1 }),
    serveraddress: Type.Optional(Type.String({ minLength: 1 }))
  }, { additionalProperties: false, description: 'Credentials for the registry; used for this pull only. Without them, those of `docker login` on the server\'s machine.' }))
}, { description: 'Which image to pull.', examples: [{ image: 'nginx:latest' }] })

/** For a WebSocket, whose handshake has no body; a query is no place for credentials. */
export const PullQuerySchema = Type.Pick(PullRequestSchema, ['image', 'platform'], { additionalProperties: false })

export const PullResultSchema = model('PullResult', {
  id: Type.String({ description: 'Full id of the image.' }),
  image: Type.String({ description: 'The reference that was pulled, tag included.' }),
  status: oneOf(['downloaded', 'up_to_date'])
}, { description: 'The image that the engine has now.', examples: [{ id: 'sha256:3b25b682ea82b2db3cc4fd48db818be788ee3f902ac7378090cf2624ec2442df', image: 'nginx:latest', status: 'downloaded' }] })
export type PullResult = Static<typeof PullResultSchema>

export const PullProgressSchema = model('PullProgress', {
  layer: Type.String({ description: 'The layer that moved.' }),
  status: Type.String({ description: 'What it does, in the engine\'s words: `Downloading`, `Extracting`, `Pull complete`.' }),
  current: nullable(Type.Integer({ description: 'Bytes of this layer that are done in this status.' })),
  total: nullable(Type.Integer({ description: 'Bytes of this layer; null until its download begins.' })),
  downloaded_bytes: Type.Integer({ description: 'Bytes that travelled so far, of all layers, compressed.' }),
  total_bytes: nullable(Type.Integer({ description: 'Bytes to travel in all; null until the size of the last layer is known.' })),
  layers_done: Type.Integer(),
  layers: Type.Integer()
}, {
  description: 'How far a pull is.',
  examples: [{ layer: '4f4fb700ef54', status: 'Downloading', current: 1048576, total: 3623807, downloaded_bytes: 30104576, total_bytes: 63623807, layers_done: 2, layers: 7 }]
})
export type PullProgress = Static<typeof PullProgressSchema>

export const PullEventSchema = model('PullEvent', {
  event: oneOf(['progress', 'done', 'error'])
}, {
  additionalProperties: true,
  anyOf: [ref(PullProgressSchema), ref(PullResultSchema), ref(ProblemSchema)],
  description: 'One line of a pull: beside `event` the members of PullProgress, PullResult or Problem. The last one is `done` or `error`.',
  examples: [{ event: 'done', ...PullResultSchema.examples[0] }]
})

const ImageQuery = Type.String({ minLength: 1, maxLength: 1024, description: 'Name, id, or the beginning of an id.', examples: ['nginx:latest'] })

export const ImageQuerySchema = Type.Object({ image: ImageQuery }, { additionalProperties: false })

export const RemoveImageQuerySchema = Type.Object({
  image: ImageQuery,
  force: Type.Boolean({ default: false, description: 'Removes all names of an id, and an image that stopped containers use.' })
}, { additionalProperties: false })

export const ImageDetailSchema = model('ImageDetail', {
  ...ImageInfoSchema.properties,
  os: Type.String(),
  architecture: Type.String(),
  layers: Type.Integer({ description: 'How many layers it has.' }),
  ports: Type.Array(Type.String(), { description: 'Ports that it says it listens on.' }),
  command: Type.Array(Type.String()),
  entrypoint: Type.Array(Type.String()),
  workdir: nullable(Type.String()),
  user: nullable(Type.String()),
  env: Type.Array(Type.String(), { description: 'Names of the variables that it sets; values are not shown.' }),
  volumes: Type.Array(Type.String()),
  labels: Type.Record(Type.String(), Type.String())
}, {
  description: 'An image, and what it does when it is run.',
  examples: [{
    ...ImageInfoSchema.examples[0], os: 'linux', architecture: 'amd64', layers: 7, ports: ['80/tcp'], command: ['nginx', '-g', 'daemon off;'], entrypoint: ['/docker-entrypoint.sh'], workdir: null, user: null, env: ['PATH', 'NGINX_VERSION'], volumes: [], labels: {}
  }]
})
export type ImageDetail = Static<typeof ImageDetailSchema>

export const ImageStepSchema = model('ImageStep', {
  id: nullable(Type.String({ description: 'Null for a step that was made elsewhere.' })),
  created: Type.String({ format: 'date-time' }),
  created_by: Type.String({ description: 'The instruction.' }),
  size: Type.Integer({ description: 'Bytes that it added.' }),
  tags: Type.Array(Type.String()),
  comment: Type.String()
}, {
  description: 'One step of how an image was made.',
  examples: [{ id: null, created: '2026-01-02T00:00:00.000Z', created_by: '/bin/sh -c #(nop)  CMD ["nginx"]', size: 0, tags: ['nginx:latest'], comment: '' }]
})
export type ImageStep = Static<typeof ImageStepSchema>

export const TagRequestSchema = model('TagRequest', {
  image: ImageQuery,
  name: Type.String({ minLength: 1, maxLength: 1024, description: 'The name that it gets too; no tag means `latest`.', examples: ['registry.example.com/team/app:1'] })
}, { description: 'One more name for an image.', examples: [{ image: 'nginx:latest', name: 'registry.example.com/team/web:1' }] })

export const TagResultSchema = model('TagResult', {
  id: Type.String({ description: 'Full id of the image.' }),
  image: Type.String({ description: 'The new name, tag included.' })
}, { description: 'The image under its new name.', examples: [{ id: ImageInfoSchema.examples[0].id, image: 'registry.example.com/team/web:1' }] })

export const RemovedImagesSchema = model('RemovedImages', {
  untagged: Type.Array(Type.String(), { description: 'Names that went.' }),
  deleted: Type.Array(Type.String(), { description: 'Ids of what went from the disk.' })
}, { description: 'What was removed.', examples: [{ untagged: ['nginx:latest'], deleted: [ImageInfoSchema.examples[0].id] }] })
export type RemovedImages = Static<typeof RemovedImagesSchema>

export const PruneRequestSchema = model('PruneRequest', {
  dry_run: Type.Optional(Type.Boolean({ default: false, description: 'Removes nothing, and tells what would go.' })),
  all: Type.Optional(Type.Boolean({ default: false, description: 'Also images that have a name. Only ever images that no container uses, stopped ones included.' })),
  label: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { maxItems: 20, description: 'Only images that have all of these labels, `key` or `key=value`.' }))
}, { description: 'Which unused images to remove.', examples: [{ dry_run: true }] })

export const PruneResultSchema = model('PruneResult', {
  dry_run: Type.Boolean(),
  ...RemovedImagesSchema.properties,
  bytes: Type.Integer({ description: 'Bytes that were freed; in a dry run, what these images share with no other, which is the least that will be.' })
}, { description: 'What was removed, or would be.', examples: [{ dry_run: true, untagged: [], deleted: [ImageInfoSchema.examples[0].id], bytes: 192481321 }] })
export type PruneResult = Static<typeof PruneResultSchema>

export const SaveQuerySchema = Type.Object({
  image: Type.Array(ImageQuery, { minItems: 1, maxItems: 100, description: 'Name, id, or the beginning of an id; repeat it for several.', examples: [['nginx:latest']] })
}, { additionalProperties: false })

export const LoadResultSchema = model('LoadResult', {
  images: Type.Array(Type.Object({
    id: Type.String({ description: 'Full id.' }),
    image: nullable(Type.String({ description: 'Its name, tag included; null for an image that has none in the archive.' }))
  }, { additionalProperties: false }))
}, { description: 'The images that were loaded.', examples: [{ images: [{ id: 'sha256:3b25b682ea82b2db3cc4fd48db818be788ee3f902ac7378090cf2624ec2442df', image: 'nginx:latest' }] }] })
export type LoadResult = Static<typeof LoadResultSchema>

export const LoadProgressSchema = model('LoadProgress', {
  layer: Type.String({ description: 'The layer that is unpacked.' }),
  status: Type.String({ description: 'In the engine\'s words.' }),
  current: nullable(Type.Integer({ description: 'Bytes of this layer that are done.' })),
  total: nullable(Type.Integer({ description: 'Bytes of this layer.' }))
}, { description: 'How far a load is.', examples: [{ layer: 'ea77fbe8d593', status: 'Loading layer', current: 32768, total: 2123776 }] })
export type LoadProgress = Static<typeof LoadProgressSchema>

export const LoadEventSchema = model('LoadEvent', {
  event: oneOf(['progress', 'done', 'error'])
}, {
  additionalProperties: true,
  anyOf: [ref(LoadProgressSchema), ref(LoadResultSchema), ref(ProblemSchema)],
  description: 'One line of a load: beside `event` the members of LoadProgress, LoadResult or Problem. The last one is `done` or `error`.',
  examples: [{ event: 'done', ...LoadResultSchema.examples[0] }]
})
