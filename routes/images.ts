import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from '@sinclair/typebox'
import { visibleImage, visibleImages, withVisibleNames } from '../src/auth/images.ts'
import { permitEveryImage, permitImage } from '../src/auth/permit.ts'
import { answerOnSocket, answerWithEvents } from '../plugins/event-answer.ts'
import { negotiateForm } from '../src/streams/form.ts'
import {
  ImageDetailSchema, ImageInfoSchema, ImageQuerySchema, ImagesQuerySchema, ImageStepSchema, PruneRequestSchema, PruneResultSchema, PullEventSchema, PullQuerySchema, PullRequestSchema, PullResultSchema,
  RemovedImagesSchema, RemoveImageQuerySchema, TagRequestSchema, TagResultSchema
} from '../schemas/images.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { socketDescription, SWITCH_RESPONSE } from '../schemas/sockets.ts'
import { localReference, parseReference } from '../src/images/reference.ts'
import { describeHistory, describeImage, findImages, forgetImage, nameImage, pruneUnused, pullOrder } from '../src/images/images.ts'

const images: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/images', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listImages',
      tags: ['Images'],
      summary: 'List images',
      querystring: ImagesQuerySchema,
      response: { 200: { description: 'The images on the engine.', content: { 'application/json': { schema: Type.Array(ref(ImageInfoSchema)) } } }, ...problems() }
    }
  }, async (request) => visibleImages(request.principal.grant, await findImages(app.engine, request.query, request.gone)))

  app.post('/images/pull', {
    config: { scope: 'images', holds: 'pulls' },
    schema: {
      operationId: 'pullImage',
      tags: ['Images'],
      summary: 'Pull an image',
      description: 'Answers when the image is on the engine, or, with `Accept: application/x-ndjson` or `text/event-stream`, with the progress as it happens: events `progress`, at the end one `done` (the result) or `error` (the problem). Callers who pull the same image at the same time share one download; it is cancelled when the last of them leaves.',
      body: ref(PullRequestSchema),
      response: {
        200: {
          description: 'The image that the engine has now.',
          content: {
            'application/json': { schema: ref(PullResultSchema) },
            'application/x-ndjson': { schema: ref(PullEventSchema) },
            'text/event-stream': { schema: Type.String({ examples: ['event: done\ndata: {"id":"sha256:…","image":"nginx:latest","status":"downloaded"}\n\n'] }) }
          }
        },
        ...problems(406, 413, 415)
      }
    }
  }, async (request, reply) => {
    const order = pullOrder(request.body)
    permitUse(request, order.image)
    const form = negotiateForm(request.headers.accept, ['json', 'ndjson', 'sse'])
    if (form === 'json') return await app.pulls.pull(order, { signal: request.gone })
    return answerWithEvents(request, reply, form, async ({ offer }) =>
      await app.pulls.pull(order, { signal: request.gone, onProgress: (progress) => offer('progress', progress) }))
  })

  app.get('/images/pull', {
    exposeHeadRoute: false,
    config: { scope: 'images', holds: 'pulls', change: true },
    schema: {
      operationId: 'watchPull',
      tags: ['Images'],
      summary: 'Pull an image over a WebSocket',
      description: socketDescription('The pull of `POST /images/pull` with the credentials of `docker login`; a client that leaves gives it up.', '`progress`, then `done` (the result) or `error` (the problem)'),
      querystring: PullQuerySchema,
      response: { 101: SWITCH_RESPONSE, ...problems(426, 429) }
    }
  }, async (request, reply) => {
    request.requireSocket()
    const order = pullOrder(request.query, 'query')
    permitUse(request, order.image)
    return await answerOnSocket(request, reply, async ({ offer }, signal) => await app.pulls.pull(order, { signal, onProgress: (progress) => offer('progress', progress) }))
  })

  app.get('/images/inspect', {
    config: { scope: 'read' },
    schema: {
      operationId: 'getImage',
      tags: ['Images'],
      summary: 'Inspect an image',
      querystring: ImageQuerySchema,
      response: { 200: ref(ImageDetailSchema), ...problems(404) }
    }
  }, async (request) => {
    const image = await namedImage(request, request.query.image, 'read')
    return withVisibleNames(request.principal.grant, await describeImage(app.engine, image, request.gone))
  })

  app.get('/images/history', {
    config: { scope: 'read' },
    schema: {
      operationId: 'getImageHistory',
      tags: ['Images'],
      summary: 'Tell how an image was made',
      querystring: ImageQuerySchema,
      response: { 200: { description: 'Its steps, the last one first.', content: { 'application/json': { schema: Type.Array(ref(ImageStepSchema)) } } }, ...problems(404) }
    }
  }, async (request) => await describeHistory(app.engine, await namedImage(request, request.query.image, 'read'), request.gone))

  app.post('/images/tag', {
    config: { scope: 'images' },
    schema: {
      operationId: 'tagImage',
      tags: ['Images'],
      summary: 'Give an image one more name',
      description: 'A name that another image has moves over.',
      body: ref(TagRequestSchema),
      response: { 200: ref(TagResultSchema), ...problems(404, 413, 415) }
    }
  }, async (request) => {
    parseReference(request.body.name, 'body', '/name')
    // No image gets an allowed name when its own is denied.
    const known = app.policy.enforceImage(localReference(request.body.image, 'body'))
    permitUse(request, request.body.name)
    const image = await visibleImage(request.principal.grant, app.engine, known, { use: 'read', where: 'body', signal: request.gone })
    return await nameImage(app.engine, { ...request.body, image }, request.gone)
  })

  app.delete('/images', {
    config: { scope: 'images' },
    schema: {
      operationId: 'removeImage',
      tags: ['Images'],
      summary: 'Remove an image',
      description: 'By name: the name goes, and the image with its last name. By id: the image.',
      querystring: RemoveImageQuerySchema,
      response: { 200: ref(RemovedImagesSchema), ...problems(404, 409) }
    }
  }, async (request) => {
    const image = await namedImage(request, request.query.image, 'remove')
    return await forgetImage(app.engine, { ...request.query, image })
  })

  app.post('/images/prune', {
    config: { scope: 'images' },
    schema: {
      operationId: 'pruneImages',
      tags: ['Images'],
      summary: 'Remove unused images',
      description: 'Images without a name that no container uses, or with `all` every image that no container uses. `dry_run` tells what would go.',
      body: ref(PruneRequestSchema),
      response: { 200: ref(PruneResultSchema), ...problems(409, 413, 415) }
    }
  }, async (request) => {
    permitEveryImage(request.principal.grant)
    return await pruneUnused(app.engine, request.body, request.gone)
  })

  function permitUse (request: FastifyRequest, image: string): void {
    permitImage(request.principal.grant, image)
    app.policy.enforceImage(image)
  }

  function namedImage (request: FastifyRequest, image: string, use: 'read' | 'remove'): Promise<string> {
    return visibleImage(request.principal.grant, app.engine, image, { use, where: 'query', signal: request.gone })
  }
}

export default images
