import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { LogLeftOutSchema, MergedLogBatchSchema, MergedLogLineSchema, MergedLogsQuerySchema } from '../schemas/logs.ts'
import { problems } from '../schemas/problem.ts'
import { ResumeHeadersSchema, streamContent } from '../schemas/streams.ts'
import { invalidField } from '../src/errors.ts'
import { textOfLog } from '../src/streams/log-events.ts'
import { openMergedLogs } from '../src/streams/merged-logs.ts'

const FILE_ENDINGS = { text: 'log', ndjson: 'ndjson', sse: 'sse', json: 'json' } as const

const mergedLogs: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/logs', {
    config: { scope: 'logs', holds: 'streams' },
    schema: {
      operationId: 'streamLogs',
      tags: ['Streams'],
      summary: 'Read or follow the logs of several containers as one',
      description: 'Of the containers that match `label`, `name` and `container`, at most 50; all of the API when nothing is said. The past comes in the order of time. With `follow=true`, containers that match and start later are taken in, and the answer goes on until the client leaves; one for which there is no room is told as `left_out`. A container that is named and not there is 404. As plain text each line is `name | line`.',
      querystring: MergedLogsQuerySchema,
      headers: ResumeHeadersSchema,
      response: {
        200: { description: 'The logs.', content: { 'text/plain': { schema: Type.String({ examples: ['shop-1 | listening on port 80\n'] }) }, ...streamContent(MergedLogLineSchema, MergedLogBatchSchema, [LogLeftOutSchema]) } },
        ...problems(404, 406, 429)
      }
    }
  }, async (request, reply) => {
    const { query } = request
    if (!query.stdout && !query.stderr) throw invalidField('query', '/stdout', 'and stderr are both false, so there is nothing to read')
    const form = request.negotiateForm(['text', 'ndjson', 'sse', 'json'])
    if (query.download) reply.header('content-disposition', `attachment; filename="logs.${FILE_ENDINGS[form]}"`)
    const sources = { containers: request.containers, events: app.events, logs: app.logs }
    return reply.sendStream({
      form,
      open: (signal) => openMergedLogs(sources, query, request.headers['last-event-id'], signal),
      textOf: (event) => textOfLog(event, query.timestamps)
    })
  })
}

export default mergedLogs
