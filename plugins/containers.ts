import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { createContainers } from '../src/containers/containers.ts'
import type { Containers, ContainersConfig } from '../src/containers/containers.ts'

declare module 'fastify' {
  interface FastifyInstance { containers: Containers }
}

async function containers (app: FastifyInstance, options: { config: ContainersConfig }) {
  app.decorate('containers', createContainers(app.engine, options.config))
}

export default fp(containers, { name: 'containers', fastify: '5.x', dependencies: ['engine'] })
