import fp from 'fastify-plugin'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { MODELS } from '../schemas/index.ts'
import { TAGS } from '../schemas/common.ts'

/** Registers the named models and renders the OpenAPI document of every route that follows. */
async function openapi (app: FastifyInstance) {
  for (const model of MODELS) app.addSchema(model)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'dockAPI', version: '0.1.0', description: 'Run Docker containers over HTTP and reach each one at a URL that already works.', license: { name: 'MIT', identifier: 'MIT' } },
      tags: [...TAGS]
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) }
  })
}

export default fp(openapi, { name: 'openapi', fastify: '5.x' })
