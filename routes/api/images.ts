import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { withVisibleTags } from '../../src/auth/images.ts'
import { permitEveryImage } from '../../src/auth/permit.ts'
import { forgetTag, forgetWholly, listByRepository } from '../../src/images/by-repository.ts'
import { ApiDoneSchema, ApiImageParamsSchema, ApiImagesSchema, ApiTagParamsSchema, ApiTagQuerySchema } from '../../schemas/api.ts'
import { ref } from '../../schemas/model.ts'
import { problems } from '../../schemas/problem.ts'

const images: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/images', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listApiImages',
      tags: ['Under /api'],
      summary: 'List images by repository',
      response: { 200: ref(ApiImagesSchema), ...problems() }
    }
  }, async (request) => ({ images: withVisibleTags(request.principal.grant, await listByRepository(app.engine, request.gone)) }))

  app.delete('/images/:image', {
    config: { scope: 'images' },
    schema: {
      operationId: 'deleteApiImage',
      tags: ['Under /api'],
      summary: 'Remove an image with all its tags',
      params: ApiImageParamsSchema,
      response: { 200: ref(ApiDoneSchema), ...problems(404, 409) }
    }
  }, async (request) => {
    permitEveryImage(request.principal.grant)
    return { success: true as const, id: await forgetWholly(app.engine, request.params.image) }
  })

  app.delete('/images/:image/tags/:tag', {
    config: { scope: 'images' },
    schema: {
      operationId: 'deleteApiImageTag',
      tags: ['Under /api'],
      summary: 'Remove one tag of an image',
      description: 'With its last tag the image goes.',
      params: ApiTagParamsSchema,
      querystring: ApiTagQuerySchema,
      response: { 200: ref(ApiDoneSchema), ...problems(404, 409) }
    }
  }, async (request) => {
    const { params: { image, tag }, query: { name } } = request
    permitEveryImage(request.principal.grant)
    return { success: true as const, id: await forgetTag(app.engine, image, tag, name) }
  })
}

export default images
