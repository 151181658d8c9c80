import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { createLaunches } from '../src/containers/launches.ts'
import type { Launches } from '../src/containers/launches.ts'

declare module 'fastify' {
  interface FastifyInstance { launches: Launches }
}

async function launches (app: FastifyInstance) {
  const created = createLaunches()
  app.decorate('launches', created)
  app.addHook('preClose', async () => { created.close() })
}

export default fp(launches, { name: 'launches', fastify: '5.x', dependencies: ['containers'] })
