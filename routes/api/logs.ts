import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { locateContainer } from '../../src/containers/located.ts'
import { openLaunchLog } from '../../src/streams/launch-log.ts'
import { textOfLog } from '../../src/streams/log-events.ts'
import { END_ID, createMessageEncoder } from '../../src/streams/message-encoder.ts'
import { ApiLogsQuerySchema } from '../../schemas/api.ts'
import { ContainerParamsSchema } from '../../schemas/common.ts'
import { problems } from '../../schemas/problem.ts'
import { ResumeHeadersSchema } from '../../schemas/streams.ts'

const logs: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/containers/:id/logs', {
    config: { scope: 'logs', holds: 'streams' },
    schema: {
      operationId: 'streamApiContainerLogs',
      tags: ['Under /api'],
      summary: 'Follow the log of a container from its first moment',
      description: 'How it was made (`[init] …`), then what it writes, until it ends. As Server-Sent Events one message for each line, its data the bare line; the last event is `end`. A WebSocket gets each line as a JSON document, as under `/containers/{id}/logs`. An `EventSource` that comes back after that is told to stop (204) while the container does not run.',
      params: ContainerParamsSchema,
      querystring: ApiLogsQuerySchema,
      headers: ResumeHeadersSchema,
      response: {
        200: {
          description: 'The log.',
          content: {
            'text/event-stream': { schema: Type.String({ examples: ['id: init~1\ndata: [init] pulling image...\n\n'] }) },
            'text/plain': { schema: Type.String({ examples: ['[init] pulling image...\n[init] creating container...\n[init] starting container...\n[info] server listening on port 3000\n'] }) }
          }
        },
        204: { description: 'All of it was heard already, and the container does not run.', type: 'null' },
        ...problems(404, 406, 409, 429)
      }
    }
  }, async (request, reply) => {
    const form = request.negotiateForm(['sse', 'text'])
    const located = await locateContainer(request.containers, app.launches, request.params.id, request.gone)
    const lastId = request.headers['last-event-id']
    const hasEnded = lastId?.startsWith(END_ID) === true
    if (hasEnded && (located.document?.State.Running !== true || request.query.follow === 'false')) return await reply.code(204).send()
    return await reply.sendStream({
      form,
      open: (signal) => openLaunchLog(app, located, request.query, lastIdOf(lastId), signal),
      textOf: (event) => textOfLog(event, false),
      ...(form === 'sse' ? { encoder: createMessageEncoder() } : {})
    })
  })
}

/** Without what marks an end; an empty id is none. */
function lastIdOf (id: string | undefined): string | undefined {
  const plain = id?.startsWith(END_ID) === true ? id.slice(END_ID.length) : id
  return plain === '' ? undefined : plain
}

export default logs
