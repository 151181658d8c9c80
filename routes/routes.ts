import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { RouteSchema } from '../schemas/routes.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/routes', {
    schema: {
      operationId: 'listRoutes',
      tags: ['Gateway'],
      summary: 'List the hosts of the gateway',
      description: 'What answers where, the state of each container behind it, and what keeps a container from its host. Empty while no gateway runs.',
      response: { 200: { description: 'The routes of this moment, oldest container first.', content: { 'application/json': { schema: Type.Array(ref(RouteSchema)) } } }, ...problems() }
    }
  }, async () => app.gateway.routes())
}

export default routes
