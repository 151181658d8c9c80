import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { CONTAINER_STATES, ContainerName } from './containers.ts'
import { model, oneOf } from './model.ts'

const Id = Type.String({ description: '12 hex digits.' })

export const ApiContainersSchema = model('ApiContainers', {
  containers: Type.Array(Type.Object({
    id: Id,
    name: Type.String(),
    image: Type.String(),
    status: oneOf([...CONTAINER_STATES, 'initializing', 'error'], { description: 'The engine\'s state; `initializing` while its image is pulled, `error` for ten minutes when it could not be made.' }),
    createdAt: Type.Integer({ description: 'Milliseconds since 1970.' }),
    ports: Type.Array(Type.String(), { description: 'Published ports, `host:container`.' })
  }, { additionalProperties: false }))
}, {
  description: 'All containers, newest first.',
  examples: [{ containers: [{ id: 'abc123def456', name: 'my-app', image: 'node:18', status: 'running', createdAt: 1699700000000, ports: ['8080:3000', '5432:5432'] }] }]
})

export const ApiRunRequestSchema = model('ApiRunRequest', {
  image: Type.String({ minLength: 1, maxLength: 1024, description: 'Image reference; no tag means `latest`.' }),
  name: Type.Optional({ ...ContainerName, description: `${ContainerName.description} Left out: made from the image's name.` }),
  ports: Type.Optional(Type.Array(Type.String({ maxLength: 20, description: '`host:container`, with `/udp` where wanted; without a host port the engine picks one.' }), { maxItems: 100, description: 'Ports to publish. None: the one that the image exposes, at any free port.' }))
}, { description: 'What to run.', examples: [{ image: 'node:18', name: 'my-app', ports: ['8080:3000'] }] })
export type ApiRunRequest = Static<typeof ApiRunRequestSchema>

export const ApiLaunchSchema = model('ApiLaunch', {
  id: Id,
  name: Type.String(),
  status: Type.Literal('initializing'),
  logs: Type.Array(Type.String(), { description: 'What is done now. How it goes is in the log.' })
}, {
  description: 'The container is being made.',
  examples: [{ id: 'abc123def456', name: 'my-app', status: 'initializing', logs: ['[init] pulling image...', '[init] creating container...'] }]
})

export const ApiDoneSchema = model('ApiDone', {
  success: Type.Literal(true),
  id: Type.String()
}, { description: 'It is done.', examples: [{ success: true, id: 'abc123def456' }] })

export const ApiImagesSchema = model('ApiImages', {
  images: Type.Array(Type.Object({
    id: Type.String({ description: 'Full id.' }),
    name: Type.String({ description: 'Repository; empty for an image without a name.' }),
    tags: Type.Array(Type.String())
  }, { additionalProperties: false }))
}, {
  description: 'By repository: one entry for each image of a repository, with all tags that it has there.',
  examples: [{ images: [{ id: 'sha256:3b25b682ea82b2db3cc4fd48db818be788ee3f902ac7378090cf2624ec2442df', name: 'node', tags: ['18', 'latest', '18-alpine'] }] }]
})
export type ApiImages = Static<typeof ApiImagesSchema>

export const ApiLogsQuerySchema = Type.Object({
  tail: Type.String({ default: 'all', pattern: '^(all|\\d{1,9})$', description: 'Lines of the container\'s own output, from its end, or `all`.' }),
  follow: oneOf(['true', 'false'], { default: 'true', description: '`false` ends with what there is now.' })
}, { additionalProperties: false })

const ImageId = Type.String({ minLength: 1, maxLength: 1024, description: 'Id of the image, or the beginning of it; a name, its slashes percent-encoded, will do.', examples: ['sha256:3b25b682ea82b2db3cc4fd48db818be788ee3f902ac7378090cf2624ec2442df'] })
export const ApiImageParamsSchema = Type.Object({ image: ImageId })
export const ApiTagParamsSchema = Type.Object({ image: ImageId, tag: Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$', description: 'One of its tags.', examples: ['18-alpine'] }) })
export const ApiTagQuerySchema = Type.Object({ name: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'The repository, where several have an image of this id and tag.' })) }, { additionalProperties: false })
