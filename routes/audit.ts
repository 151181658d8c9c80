import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { baseUrlOf, nextPageOf } from '../plugins/base-url.ts'
import { negotiateForm } from '../src/streams/form.ts'
import { AuditEntrySchema, AuditQuerySchema } from '../schemas/audit.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'

const audit: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/audit', {
    config: { scope: 'admin' },
    schema: {
      operationId: 'listAudit',
      tags: ['Audit'],
      summary: 'List who changed what',
      description: 'Every change that was asked for through this server, refused ones included, and what dockAPI did by itself, the last first; as far back as `DOCKAPI_AUDIT` says. With `Accept: application/x-ndjson` one entry a line.',
      querystring: AuditQuerySchema,
      response: {
        200: {
          description: 'The entries.',
          headers: { link: { type: 'string', description: 'The next page: `<…>; rel="next"`.' } },
          content: { 'application/json': { schema: Type.Array(ref(AuditEntrySchema)) }, 'application/x-ndjson': { schema: ref(AuditEntrySchema) } }
        },
        ...problems(406)
      }
    }
  }, async (request, reply) => {
    const form = negotiateForm(request.headers.accept, ['json', 'ndjson'])
    const { entries, nextCursor } = app.audit.list(request.query)
    reply.header('vary', 'Accept')
    if (nextCursor !== undefined) reply.header('link', `<${nextPageOf(baseUrlOf(request), request.url, String(nextCursor))}>; rel="next"`)
    if (form === 'json') return entries
    return await reply.type('application/x-ndjson; charset=utf-8').send(entries.map((entry) => `${JSON.stringify(entry)}\n`).join('') as never)
  })
}

export default audit
