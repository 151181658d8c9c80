import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { networkDriver } from '../src/engine/networks.ts'
import { inspectVolume } from '../src/engine/volumes.ts'
import type { PolicyConfig } from '../src/policy/members.ts'
import { createPolicy } from '../src/policy/policy.ts'
import type { Policy } from '../src/policy/policy.ts'

declare module 'fastify' {
  interface FastifyInstance { policy: Policy }
}

async function policy (app: FastifyInstance, options: { config: PolicyConfig }) {
  app.decorate('policy', createPolicy(options.config, {
    findVolume: (name) => inspectVolume(app.engine, name),
    networkDriver: (reference) => networkDriver(app.engine, reference)
  }))
}

export default fp(policy, { name: 'policy', fastify: '5.x', dependencies: ['engine'] })
