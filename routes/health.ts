import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'

const health: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/livez', {
    config: { public: true },
    schema: {
      operationId: 'getLiveness',
      tags: ['Health'],
      summary: 'Is the process alive?',
      response: { 200: Type.Object({ ok: Type.Literal(true) }, { description: 'It is.', examples: [{ ok: true }] }) }
    }
  }, async () => ({ ok: true as const }))
}

export default health
