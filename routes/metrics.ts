import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { refuseNarrowed } from '../src/auth/routes.ts'
import { METRICS_TYPE } from '../src/metrics/metrics.ts'
import { problems } from '../schemas/problem.ts'

const EXAMPLE = '# HELP dockapi_routes Routes of the gateway.\n# TYPE dockapi_routes gauge\ndockapi_routes 12\n'

const metrics: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/metrics', {
    config: { scope: 'read' },
    // They are of every container.
    preHandler: async ({ principal }) => { refuseNarrowed(principal) },
    schema: {
      operationId: 'getMetrics',
      tags: ['Health'],
      summary: 'Numbers for Prometheus',
      description: 'In the text format 0.0.4, whatever `Accept` says. Not for a token that is narrowed to some containers.',
      response: { 200: { description: 'All metrics.', content: { 'text/plain': { schema: Type.String({ examples: [EXAMPLE] }) } } }, ...problems() }
    }
  }, async (_request, reply) => await reply.type(METRICS_TYPE).send(await app.metrics.render()))
}

export default metrics
