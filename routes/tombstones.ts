import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { TombstoneSchema } from '../schemas/tombstones.ts'

const tombstones: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/tombstones', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listTombstones',
      tags: ['Containers'],
      summary: 'List the containers that are gone',
      description: 'Those that dockAPI made and that were removed within the time of `DOCKAPI_TOMBSTONES`, the last first. Their logs still answer at `/containers/{id}/logs`.',
      response: { 200: { description: 'What is kept of them.', content: { 'application/json': { schema: Type.Array(ref(TombstoneSchema)) } } }, ...problems() }
    }
  }, async (request) => app.tombstones.list(request.containers.isVisible))
}

export default tombstones
