import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { preferredType } from '../plugins/accept.ts'
import { answerWithEvents } from '../plugins/event-answer.ts'
import { ImageInfoSchema, ImagesQuerySchema, PullEventSchema, PullRequestSchema, PullResultSchema } from '../schemas/images.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { findImages, pullOrder } from '../src/images/images.ts'

const images: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/images', {
    schema: {
      operationId: 'listImages',
      tags: ['Images'],
      summary: 'List images',
      querystring: ImagesQuerySchema,
      response: { 200: { description: 'The images on the engine.', content: { 'application/json': { schema: Type.Array(ref(ImageInfoSchema)) } } }, ...problems() }
    }
  }, async (request) => await findImages(app.engine, request.query, request.gone))

  app.post('/images/pull', {
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
        ...problems(413, 415)
      }
    }
  }, async (request, reply) => {
    const order = pullOrder(request.body)
    const form = preferredType(request.headers.accept, ['application/json', 'application/x-ndjson', 'text/event-stream'])
    if (form === 'application/json') return await app.pulls.pull(order, { signal: request.gone })
    return answerWithEvents(request, reply, form, async ({ offer }) =>
      await app.pulls.pull(order, { signal: request.gone, onProgress: (progress) => offer('progress', progress) }))
  })
}

export default images
