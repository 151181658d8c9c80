import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { LogsQuerySchema } from '../schemas/logs.ts'
import { problems } from '../schemas/problem.ts'
import { readLogs } from '../src/streams/logs.ts'

const logs: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/containers/:id/logs', {
    schema: {
      operationId: 'streamContainerLogs',
      tags: ['Streams'],
      summary: 'Read or follow the log of a container',
      description: 'Both outputs in the order in which they were written, the bytes as they were written. With `follow=true` the answer goes on until the container ends or the client leaves.',
      params: ContainerParamsSchema,
      querystring: LogsQuerySchema,
      response: {
        200: { description: 'The log.', content: { 'text/plain': { schema: Type.String({ examples: ['listening on port 80\n'] }) } } },
        ...problems(404, 409)
      }
    }
  }, async (request, reply) => {
    const document = await app.containers.find(request.params.id, request.gone)
    reply.type('text/plain; charset=utf-8').header('x-content-type-options', 'nosniff').header('x-accel-buffering', 'no')
    if (request.method === 'HEAD') return reply.send('')
    const stream: unknown = await readLogs(app.containers, document, request.query, request.gone)
    return reply.send(stream as string)
  })
}

export default logs
