import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { baseUrlOf, nextPageOf } from '../plugins/base-url.ts'
import { infoOfDocument, infoOfSummary } from '../src/containers/info.ts'
import { findOrTell } from '../src/containers/removed.ts'
import { selectPage } from '../src/containers/page.ts'
import { redactDocument } from '../src/containers/redact.ts'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { ContainerDetailSchema, ContainerInfoSchema, InspectQuerySchema, ListQuerySchema, RemovedSchema, RemoveQuerySchema } from '../schemas/containers.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { removeContainer } from '../src/engine/containers.ts'

/** The collection and its members: list, inspect, remove. */
const containers: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/containers', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listContainers',
      tags: ['Containers'],
      summary: 'List containers',
      description: 'Running and stopped ones, newest first. One engine call, whatever their number. With `limit`, the `Link` header leads to the next page.',
      querystring: ListQuerySchema,
      response: {
        200: {
          description: 'The containers of this API.',
          headers: { link: { type: 'string', description: 'The next page: `<…>; rel="next"`.' } },
          content: { 'application/json': { schema: Type.Array(ref(ContainerInfoSchema)) } }
        },
        ...problems()
      }
    }
  }, async (request, reply) => {
    const { query } = request
    const filters = { ...(query.label === undefined ? {} : { label: query.label }), ...(query.status === undefined ? {} : { status: [query.status] }) }
    const { items, nextCursor } = selectPage(await request.containers.list(filters, request.gone), query)
    const baseUrl = baseUrlOf(request)
    if (nextCursor !== undefined) reply.header('link', `<${nextPageOf(baseUrl, request.url, nextCursor)}>; rel="next"`)
    return items.map((summary) => infoOfSummary(summary, baseUrl, app.gateway.urlOf(summary.Id)))
  })

  app.get('/containers/:id', {
    config: { scope: 'read' },
    schema: {
      operationId: 'getContainer',
      tags: ['Containers'],
      summary: 'Inspect a container',
      description: 'One that dockAPI made and that is gone is 410, and `tombstone` says how it ended.',
      params: ContainerParamsSchema,
      querystring: InspectQuerySchema,
      response: { 200: ref(ContainerDetailSchema), ...problems(404, 409, 410) }
    }
  }, async (request) => {
    const document = await findOrTell(request.containers, request.params.id, request.gone)
    const info = infoOfDocument(document, baseUrlOf(request), await app.gateway.urlFor(document, request.gone))
    return request.query.raw ? { ...info, raw: redactDocument(document) } : info
  })

  app.delete('/containers/:id', {
    config: { scope: 'run' },
    schema: {
      operationId: 'removeContainer',
      tags: ['Containers'],
      summary: 'Remove a container',
      params: ContainerParamsSchema,
      querystring: RemoveQuerySchema,
      response: { 200: ref(RemovedSchema), ...problems(404, 409) }
    }
  }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id)
    const { force: isForced, volumes: withVolumes } = request.query
    const remove = () => removeContainer(app.engine, id, { isForced, withVolumes })
    await app.tombstones.keep(id)
    await (isForced ? app.gateway.drain(id, remove) : remove())
    return { id, removed: true as const }
  })
}

export default containers
