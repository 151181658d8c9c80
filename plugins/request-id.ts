import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'

/** Every answer of the API says under which id the log and the audit have its request; those of applications are left as they are. */
async function requestId (app: FastifyInstance) {
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.proxied !== true) reply.header('x-request-id', request.id)
  })
}

export default fp(requestId, { name: 'request-id', fastify: '5.x' })
