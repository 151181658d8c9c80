import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ImageInfoSchema, ImagesQuerySchema, PullRequestSchema, PullResultSchema } from '../schemas/images.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { findImages, pullByRequest } from '../src/images/images.ts'

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
      description: 'Answers when the image is on the engine. A client that leaves cancels the pull.',
      body: ref(PullRequestSchema),
      response: { 200: ref(PullResultSchema), ...problems(413, 415) }
    }
  }, async (request) => await pullByRequest(app.engine, request.body, request.gone))
}

export default images
