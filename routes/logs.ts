import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { LogBatchSchema, LogLineSchema, LogsQuerySchema } from '../schemas/logs.ts'
import { problems } from '../schemas/problem.ts'
import { ResumeHeadersSchema, streamContent } from '../schemas/streams.ts'
import { openLogEvents, textOfLog } from '../src/streams/log-events.ts'
import { readLogs } from '../src/streams/logs.ts'

const FILE_ENDINGS = { text: 'log', ndjson: 'ndjson', sse: 'sse', json: 'json' } as const

const logs: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/containers/:id/logs', {
    config: { scope: 'logs' },
    schema: {
      operationId: 'streamContainerLogs',
      tags: ['Streams'],
      summary: 'Read or follow the log of a container',
      description: 'As plain text: both outputs in the order in which they were written, the bytes as they were written. As NDJSON or Server-Sent Events: one event for each line, and a last one that says why there are no more; `Last-Event-ID` goes on where a stream was left. With `follow=true` the answer goes on until the container ends or the client leaves.',
      params: ContainerParamsSchema,
      querystring: LogsQuerySchema,
      headers: ResumeHeadersSchema,
      response: {
        200: { description: 'The log.', content: { 'text/plain': { schema: Type.String({ examples: ['listening on port 80\n'] }) }, ...streamContent(LogLineSchema, LogBatchSchema) } },
        ...problems(404, 406, 409, 429)
      }
    }
  }, async (request, reply) => {
    const { query } = request
    const form = request.negotiateForm(['text', 'ndjson', 'sse', 'json'])
    const document = await request.containers.find(request.params.id, request.gone)
    if (query.download) reply.header('content-disposition', `attachment; filename="${document.Name.slice(1)}.${FILE_ENDINGS[form]}"`)
    const lastId = request.headers['last-event-id']
    const isVerbatim = form === 'text' && lastId === undefined && query.grep === undefined && query.regex === undefined && query.follow !== 'restart'
    return reply.sendStream({
      form,
      open: (signal) => isVerbatim ? readLogs(request.containers, document, query, signal) : openLogEvents({ containers: request.containers, events: app.events }, document, query, lastId, signal),
      textOf: (event) => textOfLog(event, query.timestamps)
    })
  })
}

export default logs
