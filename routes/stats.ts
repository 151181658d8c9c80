import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { FileChangesSchema, ProcessesSchema, StatsEventSchema, StatsListSchema, StatsSchema } from '../schemas/stats.ts'
import { streamContent } from '../schemas/streams.ts'
import { listChanges, listProcesses } from '../src/engine/stats.ts'
import { openStatsEvents, readAllStats, readStats } from '../src/streams/stats.ts'

/** The engine's numbers (Docker API, `ContainerChanges`). */
const CHANGE_KINDS = ['changed', 'added', 'deleted'] as const

/** What containers use and do. */
const stats: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/containers/:id/stats', {
    config: { scope: 'read', holds: 'streams' },
    schema: {
      operationId: 'getContainerStats',
      tags: ['Streams'],
      summary: 'CPU, memory, network and disk that a container uses',
      description: 'As JSON once, measured over half a second; as NDJSON or Server-Sent Events once a second until the container ends.',
      params: ContainerParamsSchema,
      response: {
        200: { description: 'What it uses.', content: { ...streamContent(StatsEventSchema), 'application/json': { schema: ref(StatsSchema) } } },
        ...problems(404, 406, 409, 429)
      }
    }
  }, async (request, reply) => {
    const form = request.negotiateForm(['json', 'ndjson', 'sse'])
    const document = await request.containers.find(request.params.id, request.gone)
    if (form !== 'json') return reply.sendStream({ form, open: (signal) => openStatsEvents(app.engine, document, signal) })
    return readStats(app.engine, document, request.gone)
  })

  app.get('/stats', {
    config: { scope: 'read', holds: 'streams' },
    schema: {
      operationId: 'listStats',
      tags: ['Streams'],
      summary: 'What every running container uses',
      description: 'Measured over half a second; the engine is asked about eight containers at a time.',
      response: { 200: { description: 'One entry for each container in scope that runs.', content: { 'application/json': { schema: StatsListSchema } } }, ...problems() }
    }
  }, async (request) => await readAllStats(request.containers, request.gone))

  app.get('/containers/:id/top', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listContainerProcesses',
      tags: ['Streams'],
      summary: 'Processes of a container',
      params: ContainerParamsSchema,
      response: { 200: ref(ProcessesSchema), ...problems(404, 409) }
    }
  }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id, request.gone)
    const { Titles: titles, Processes: processes } = await listProcesses(app.engine, id, { signal: request.gone })
    return { titles, processes: processes ?? [] }
  })

  app.get('/containers/:id/changes', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listContainerChanges',
      tags: ['Streams'],
      summary: 'Files that differ from the image',
      params: ContainerParamsSchema,
      response: { 200: { description: 'Each path that was changed, added or deleted.', content: { 'application/json': { schema: FileChangesSchema } } }, ...problems(404, 409) }
    }
  }, async (request) => {
    const { Id: id } = await request.containers.find(request.params.id, request.gone)
    const changes = await listChanges(app.engine, id, { signal: request.gone })
    return changes.map(({ Path: path, Kind }) => ({ path, kind: CHANGE_KINDS[Kind] ?? 'changed' }))
  })
}

export default stats
