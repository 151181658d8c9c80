import type { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { LogBatchSchema, LogLineSchema, LogsQuerySchema } from '../schemas/logs.ts'
import type { LogsQuery } from '../schemas/logs.ts'
import { problems } from '../schemas/problem.ts'
import { ResumeHeadersSchema, streamContent } from '../schemas/streams.ts'
import { findOrRemoved } from '../src/containers/removed.ts'
import type { ContainerDocument } from '../src/engine/containers.ts'
import type { Remains } from '../src/store/tombstones.ts'
import type { StreamSource } from '../src/streams/delivery.ts'
import { openKeptLog, readKeptLog } from '../src/streams/kept-logs.ts'
import { openLogEvents, textOfLog } from '../src/streams/log-events.ts'
import type { LogSources } from '../src/streams/log-events.ts'
import { readLogs } from '../src/streams/logs.ts'

const FILE_ENDINGS = { text: 'log', ndjson: 'ndjson', sse: 'sse', json: 'json' } as const

const logs: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/containers/:id/logs', {
    config: { scope: 'logs', holds: 'streams' },
    schema: {
      operationId: 'streamContainerLogs',
      tags: ['Streams'],
      summary: 'Read or follow the log of a container',
      description: 'As plain text: both outputs in the order in which they were written, the bytes as they were written. As NDJSON or Server-Sent Events: one event for each line, and a last one that says why there are no more; `Last-Event-ID` goes on where a stream was left. With `follow=true` the answer goes on until the container ends or the client leaves. Of a container that is gone, the last lines still answer for a while; that ends with `container_removed`.',
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
    const found = await findOrRemoved(request.containers, request.params.id, request.gone)
    const log = 'document' in found ? logOfDocument({ containers: request.containers, events: app.events, logs: app.logs }, found.document) : logOfRemains(app.tombstones.remains(found.tombstone.id)!)
    if (query.download) reply.header('content-disposition', `attachment; filename="${log.name}.${FILE_ENDINGS[form]}"`)
    const lastId = request.headers['last-event-id']
    const isVerbatim = form === 'text' && lastId === undefined && query.grep === undefined && query.regex === undefined && query.follow !== 'restart'
    return reply.sendStream({
      form,
      open: (signal) => isVerbatim ? log.read(query, signal) : log.open(query, lastId, signal),
      textOf: (event) => textOfLog(event, query.timestamps)
    })
  })
}

/** Where a log comes from: as its bytes, or line by line. */
type Log = {
  name: string
  read (query: LogsQuery, signal: AbortSignal): Promise<Readable>
  open (query: LogsQuery, lastId: string | undefined, signal: AbortSignal): Promise<StreamSource>
}

function logOfDocument (sources: LogSources, document: ContainerDocument): Log {
  return {
    name: document.Name.slice(1),
    read: (query, signal) => readLogs(sources.containers, document, query, signal),
    open: (query, lastId, signal) => openLogEvents(sources, document, query, lastId, signal)
  }
}

function logOfRemains (remains: Remains): Log {
  return {
    name: remains.tombstone.name,
    read: async (query) => readKeptLog(remains, query),
    open: (query, lastId) => openKeptLog(remains, query, lastId)
  }
}

export default logs
