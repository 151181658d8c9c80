import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { baseUrlOf } from '../plugins/base-url.ts'
import { infoOfDocument } from '../src/containers/info.ts'
import { findReplicas, scale } from '../src/containers/replicas.ts'
import type { ContainerDocument } from '../src/engine/containers.ts'
import { ContainerParamsSchema } from '../schemas/common.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { ReplicasSchema, ScaleRequestSchema } from '../schemas/replicas.ts'

/** A container and others like it, which answer in turn. */
const replicas: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/containers/:id/replicas', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listReplicas',
      tags: ['Containers'],
      summary: 'List a container and its replicas',
      params: ContainerParamsSchema,
      response: { 200: ref(ReplicasSchema), ...problems(404, 409) }
    }
  }, async (request) => await describe(await findReplicas(request.containers, request.params.id, request.gone), request))

  app.put('/containers/:id/replicas', {
    config: { scope: 'run', holds: 'waits' },
    schema: {
      operationId: 'scaleContainer',
      tags: ['Containers'],
      summary: 'Set how many of a container run',
      description: 'Makes containers like the first one, named `<name>-2`, `<name>-3`, …, which join its host at the gateway, or removes the newest: they get no new request, finish those that run, and go. No request fails meanwhile.',
      params: ContainerParamsSchema,
      body: ref(ScaleRequestSchema),
      response: { 200: ref(ReplicasSchema), ...problems(403, 404, 409, 413, 415) }
    }
  }, async (request) => {
    return await describe(await scale(request.containers, request.params.id, request.body, (id, end) => app.gateway.drain(id, end), request.gone), request)
  })

  async function describe (documents: readonly ContainerDocument[], request: FastifyRequest) {
    const urls = await Promise.all(documents.map((document) => app.gateway.urlFor(document, request.gone)))
    return { replicas: documents.length, url: urls[0] ?? null, containers: documents.map((document, index) => infoOfDocument(document, baseUrlOf(request), urls[index] ?? null)) }
  }
}

export default replicas
