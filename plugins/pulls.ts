import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { EngineEnvironment } from '../src/config/schema.ts'
import { createMachine } from '../src/engine/machine.ts'
import { readCredentials } from '../src/images/credentials.ts'
import { createPulls } from '../src/images/pulls.ts'
import type { Pulls } from '../src/images/pulls.ts'

declare module 'fastify' {
  interface FastifyInstance { pulls: Pulls }
}

async function pulls (app: FastifyInstance, options: { environment: EngineEnvironment }) {
  const machine = createMachine()
  const created = createPulls(app.engine, () => readCredentials(options.environment, machine), app.policy)
  app.decorate('pulls', created)
  app.addHook('preClose', async () => { created.close() })
}

export default fp(pulls, { name: 'pulls', fastify: '5.x', dependencies: ['engine', 'policy'] })
