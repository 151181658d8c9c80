import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { Containers } from '../src/containers/containers.ts'

declare module 'fastify' {
  interface FastifyInstance { containers: Containers }
}

async function containers (_app: FastifyInstance) {
}

export default fp(containers, { name: 'containers', fastify: '5.x', dependencies: ['engine'] })
