import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { createExecs } from '../src/exec/execs.ts'
import type { Execs } from '../src/exec/execs.ts'

declare module 'fastify' {
  interface FastifyInstance { execs: Execs }
}

async function execs (app: FastifyInstance) {
  const created = createExecs(app.engine)
  app.decorate('execs', created)
  app.addHook('preClose', async () => { await created.close() })
}

export default fp(execs, { name: 'execs', fastify: '5.x', dependencies: ['engine', 'streams'] })
