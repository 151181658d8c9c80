import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { EngineEventSchema, EventBatchSchema, EventsQuerySchema } from '../schemas/events.ts'
import { problems } from '../schemas/problem.ts'
import { ResumeHeadersSchema, streamContent } from '../schemas/streams.ts'
import { openEngineEvents } from '../src/streams/engine-events.ts'

/** A document ends by itself. */
const JSON_BOUNDS = { limit: 100, timeout: 5 }

const events: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/events', {
    config: { scope: 'read', holds: 'streams' },
    schema: {
      operationId: 'streamEvents',
      tags: ['Streams'],
      summary: 'Follow what happens on the engine',
      description: 'Events of the containers in scope, of images and of networks, and dockAPI\'s own (`dockapi`). As JSON, the answer comes after `limit` events or `timeout` seconds; as NDJSON or Server-Sent Events it goes on until the client leaves. However many listen, the engine is asked once.',
      querystring: EventsQuerySchema,
      headers: ResumeHeadersSchema,
      response: { 200: { description: 'The events.', content: streamContent(EngineEventSchema, EventBatchSchema) }, ...problems(406, 429) }
    }
  }, async (request, reply) => {
    const form = request.negotiateForm(['json', 'ndjson', 'sse'])
    const query = form === 'json' ? { ...JSON_BOUNDS, ...request.query } : request.query
    return reply.sendStream({ form, open: (signal) => openEngineEvents({ containers: request.containers, events: app.events }, query, request.headers['last-event-id'], signal) })
  })
}

export default events
