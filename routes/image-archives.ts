import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { answerWithEvents } from '../plugins/event-answer.ts'
import { Bytes } from '../schemas/bytes.ts'
import { LoadEventSchema, LoadResultSchema, SaveQuerySchema } from '../schemas/images.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { visibleImage } from '../src/auth/images.ts'
import { permitEveryImage } from '../src/auth/permit.ts'
import { DockApiError } from '../src/errors.ts'
import { boundedBody, discard } from '../src/files/incoming.ts'
import { attachmentOf } from '../src/files/media.ts'
import { findAll, loadImages, saveImages } from '../src/images/archive.ts'
import { negotiateForm } from '../src/streams/form.ts'

const TAR_TYPES = ['application/x-tar', 'application/gzip', 'application/x-gzip']

/** Images without a registry: out as a tar, in from a tar. */
const imageArchives: FastifyPluginAsyncTypebox = async (app) => {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(TAR_TYPES, (_request, body, done) => { done(null, body) })

  app.get('/images/save', {
    config: { scope: 'images', holds: 'streams' },
    schema: {
      operationId: 'saveImages',
      tags: ['Images'],
      summary: 'Save images as a tar',
      description: 'What `docker save` writes: the layers that several images share are in it once. `POST /images/load` and `docker load` take it.',
      querystring: SaveQuerySchema,
      response: {
        200: {
          description: 'The images.',
          headers: { 'content-disposition': { type: 'string', description: 'A name for keeping.' } },
          content: { 'application/x-tar': { schema: Bytes('A tar, streamed.') } }
        },
        ...problems(404, 429)
      }
    }
  }, async (request, reply) => {
    const images = await Promise.all(request.query.image.map((image) => visibleImage(request.principal.grant, app.engine, image, { use: 'read', where: 'query', signal: request.gone })))
    const name = images.length === 1 ? request.query.image[0]!.replaceAll(/[^A-Za-z0-9._-]+/g, '-') : 'images'
    reply.type('application/x-tar').header('content-disposition', attachmentOf(`${name}.tar`))
    if (request.method === 'HEAD') {
      await findAll(app.engine, images, request.gone)
      return await reply.send(Readable.from([]))
    }
    return await reply.send(await app.streams.admit((signal) => saveImages(app.engine, images, signal), request.gone))
  })

  app.post('/images/load', {
    config: { scope: 'images', holds: 'streams' },
    schema: {
      operationId: 'loadImages',
      tags: ['Images'],
      summary: 'Load images from a tar',
      description: 'Takes what `GET /images/save` or `docker save` wrote, plain or packed with gzip, at most DOCKAPI_MAX_UPLOAD bytes unpacked. Answers when the images are on the engine, or, with `Accept: application/x-ndjson` or `text/event-stream`, with events `progress`, at the end one `done` (the result) or `error` (the problem). A name that another image has moves over.',
      body: { content: { 'application/x-tar': { schema: Bytes('A tar, streamed.') }, 'application/gzip': { schema: Bytes('A tar packed with gzip, streamed.') } } },
      response: {
        200: {
          description: 'The images that were loaded.',
          content: {
            'application/json': { schema: ref(LoadResultSchema) },
            'application/x-ndjson': { schema: ref(LoadEventSchema) },
            'text/event-stream': { schema: Type.String({ examples: ['event: progress\ndata: {"layer":"ea77fbe8d593","status":"Loading layer","current":32768,"total":2123776}\n\n'] }) }
          }
        },
        ...problems(406, 408, 413, 415)
      }
    }
  }, async (request, reply) => {
    permitEveryImage(request.principal.grant)
    app.policy.enforceUnnamedImages('an archive')
    const form = negotiateForm(request.headers.accept, ['json', 'ndjson', 'sse'])
    const { body } = request
    if (!(body instanceof Readable)) throw new DockApiError('invalid_request', 'body: is empty', { fields: [{ where: 'body', pointer: '', message: 'is empty' }], hint: 'Send a tar archive.' })
    const { maxUpload } = request.containers.config
    const load = async (onProgress: Parameters<typeof loadImages>[3]) => await loadImages(app.engine, boundedBody(body, maxUpload), maxUpload, onProgress, request.gone).finally(() => { discard(body) })
    if (form === 'json') return await load(() => {})
    return answerWithEvents(request, reply, form, async ({ offer }) => await load((progress) => offer('progress', progress)))
  })
}

export default imageArchives
