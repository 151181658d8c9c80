import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { noting } from '../src/audit/change.ts'
import { createContainers } from '../src/containers/containers.ts'
import type { Containers, ContainersConfig } from '../src/containers/containers.ts'

declare module 'fastify' {
  interface FastifyInstance { containers: Containers }
  interface FastifyRequest {
    /** The containers that exist for who asks. Routes find containers here and nowhere else. */
    readonly containers: Containers
  }
}

async function containers (app: FastifyInstance, options: { config: ContainersConfig }) {
  const created = createContainers(app.engine, { pulls: app.pulls, policy: app.policy, tombstones: app.tombstones }, options.config)
  app.decorate('containers', created)
  app.decorateRequest('containers', { getter (this: FastifyRequest) { return noting(created.as(this.principal.grant), this.change) } })
  app.addHook('onListen', async () => { created.start() })
  app.addHook('preClose', async () => { created.close() })
}

export default fp(containers, { name: 'containers', fastify: '5.x', dependencies: ['audit', 'engine', 'guard', 'policy', 'pulls', 'tombstones'] })
