import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { hasScope } from '../src/auth/principal.ts'
import { visibleRoutes } from '../src/auth/routes.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { RouteSchema } from '../schemas/routes.ts'

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/routes', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listRoutes',
      tags: ['Gateway'],
      summary: 'List the hosts of the gateway',
      description: 'What answers where, as far as the token may see the containers behind it, the state of each container behind it, and what keeps a container from its host. Empty while no gateway runs.',
      response: { 200: { description: 'The routes of this moment, oldest container first.', content: { 'application/json': { schema: Type.Array(ref(RouteSchema)) } } }, ...problems() }
    }
  }, async (request) => {
    const routes = app.gateway.routes()
    // Who may do everything also sees what only the gateway serves.
    return hasScope(request.principal, 'admin') ? routes : visibleRoutes(routes, await request.containers.list({}, request.gone), request.principal.grant)
  })
}

export default routes
