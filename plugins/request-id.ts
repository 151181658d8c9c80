import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'

/** Every answer says under which id the log and the audit have its request. */
async function requestId (app: FastifyInstance) {
  app.addHook('onRequest', async (request, reply) => { reply.header('x-request-id', request.id) })
}

export default fp(requestId, { name: 'request-id', fastify: '5.x' })
