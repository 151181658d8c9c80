import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from '@sinclair/typebox'
import { permitEveryImage } from '../src/auth/permit.ts'
import { answerOnSocket, answerWithEvents } from '../plugins/event-answer.ts'
import { negotiateForm } from '../src/streams/form.ts'
import { BuildEventSchema, BuildQuerySchema, BuildRequestSchema, BuildResultSchema, TarSchema } from '../schemas/build.ts'
import type { BuildQuery, BuildRequest } from '../schemas/build.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { socketDescription, SWITCH_RESPONSE } from '../schemas/sockets.ts'
import { buildImage, orderFromTar, orderFromText } from '../src/images/build.ts'
import type { BuildOrder } from '../src/images/build.ts'
import { DockApiError } from '../src/errors.ts'
import { boundedBody, discard } from '../src/files/incoming.ts'
import { createSocketUpload } from '../src/sockets/upload.ts'

const TAR_TYPES = ['application/x-tar', 'application/gzip', 'application/x-gzip']

const build: FastifyPluginAsyncTypebox = async (app) => {
  const closing = new AbortController()
  app.addHook('preClose', async () => { closing.abort() })
  app.addContentTypeParser(TAR_TYPES, (_request, body, done) => { done(null, body) })

  function orderOf ({ body, query, headers: { 'content-type': type }, containers: { config } }: FastifyRequest<{ Querystring: BuildQuery }>): BuildOrder {
    if (body === undefined || body === null) throw new DockApiError('invalid_request', 'body: is empty', { fields: [{ where: 'body', pointer: '', message: 'is empty' }], hint: 'Send a tar archive, or JSON with dockerfile.' })
    if (type?.startsWith('application/json') !== true) return orderFromTar(boundedBody(body as Readable, Infinity), query, config)
    const [field] = Object.keys(query)
    if (field === undefined) return orderFromText(body as BuildRequest, config)
    throw new DockApiError('invalid_request', `${field}: belongs into the body when the body is JSON`, { fields: [{ where: 'query', pointer: `/${field}`, message: 'belongs into the body when the body is JSON' }] })
  }

  app.post('/images/build', {
    config: { scope: 'images', holds: 'builds' },
    schema: {
      operationId: 'buildImage',
      tags: ['Images'],
      summary: 'Build an image',
      description: 'From the text of a Dockerfile (JSON), or from a tar with a Dockerfile and its files, at most 1 GiB unpacked; then the options stand in the query. Answers when the image is built, or with the log as it is printed: as text, or as events `log`, at the end one `done` (the result) or `error` (the problem, with the `step` that failed). A client that leaves cancels the build. Each step has the memory and CPU limits of a container that asks for none, and no more network than one.',
      querystring: BuildQuerySchema,
      body: {
        content: {
          'application/json': { schema: ref(BuildRequestSchema) },
          'application/x-tar': { schema: TarSchema },
          'application/gzip': { schema: TarSchema }
        }
      },
      response: {
        200: {
          description: 'The image that was built.',
          content: {
            'application/json': { schema: ref(BuildResultSchema) },
            'application/x-ndjson': { schema: ref(BuildEventSchema) },
            'text/event-stream': { schema: Type.String({ examples: ['event: log\ndata: {"text":"Step 1/2 : FROM alpine:3\\n"}\n\n'] }) },
            'text/plain': { schema: Type.String({ examples: ['Step 1/2 : FROM alpine:3\n'] }) }
          }
        },
        ...problems(406, 408, 413, 415)
      }
    }
  }, async (request, reply) => {
    permitEveryImage(request.principal.grant)
    app.policy.enforceUnnamedImages('a build')
    const order = orderOf(request)
    request.change.about({ image: order.image ?? undefined })
    const signal = AbortSignal.any([request.gone, closing.signal])
    const form = negotiateForm(request.headers.accept, ['json', 'ndjson', 'sse', 'text'])
    const { body } = request
    const build = async (onLog: Parameters<typeof buildImage>[2]) => await buildImage(app.engine, order, onLog, signal).finally(() => { if (body instanceof Readable) discard(body) })
    if (form === 'json') return await build(async () => {})
    return answerWithEvents(request, reply, form, ({ send }) => build((text) => send('log', { text })))
  })

  app.get('/images/build', {
    exposeHeadRoute: false,
    config: { scope: 'images', holds: 'builds', change: true },
    schema: {
      operationId: 'watchBuild',
      tags: ['Images'],
      summary: 'Build an image over a WebSocket',
      description: socketDescription('The client sends a tar archive, plain or gzipped, in binary messages of at most 1 MiB, then the text `{"type":"eof"}`. A client that leaves cancels the build.', '`log`, then `done` (the result) or `error` (the problem)'),
      querystring: BuildQuerySchema,
      response: { 101: SWITCH_RESPONSE, ...problems(426, 429) }
    }
  }, async (request, reply) => {
    request.requireSocket()
    permitEveryImage(request.principal.grant)
    app.policy.enforceUnnamedImages('a build')
    const upload = createSocketUpload()
    const order = orderFromTar(upload.body, request.query, request.containers.config)
    request.change.about({ image: order.image ?? undefined })
    return await answerOnSocket(request, reply, async ({ send }, signal) => await buildImage(app.engine, order, (text) => send('log', { text }), signal), upload)
  })
}

export default build
