import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { createEngine } from '../src/engine/engine.ts'
import type { Engine } from '../src/engine/engine.ts'
import type { EngineEnvironment } from '../src/config/schema.ts'

declare module 'fastify' {
  interface FastifyInstance { engine: Engine }
}

async function engine (app: FastifyInstance, options: { environment: EngineEnvironment }) {
  const created = createEngine(options.environment, app.metrics.engine)
  app.decorate('engine', created)
  app.addHook('onClose', async () => { await created.close() })
}

export default fp(engine, { name: 'engine', fastify: '5.x', dependencies: ['metrics'] })
