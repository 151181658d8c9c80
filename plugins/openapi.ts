import fp from 'fastify-plugin'
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { TAGS } from '../schemas/common.ts'
import { MODELS } from '../schemas/index.ts'
import { EVENT_SOCKET, SWITCH_RESPONSE } from '../schemas/sockets.ts'
import { PROXIED_PATH, proxiedPathItem } from '../schemas/proxied.ts'
import { completeDocument } from '../src/docs/document.ts'
import type { Document } from '../src/docs/document.ts'
import { PROBLEM_EXAMPLES } from './problem-examples.ts'

/** Beside the version in package.json (tested). */
export const VERSION = '0.1.0'

const INFO = {
  title: 'dockAPI',
  version: VERSION,
  summary: 'Run Docker containers over HTTP and reach each one at a URL that already works.',
  description: 'Pull images, run containers, read their logs, run commands inside them, and reach the applications that they serve.\n\n' +
    'Every failure is an [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem document with a stable `code` ([all codes](/docs/errors)), ' +
    'a plain sentence in `detail` and what to do next in `hint`.',
  license: { name: 'MIT', identifier: 'MIT' }
}

/** Registers the named models and describes every route that follows as OpenAPI 3.1 (`app.swagger()`). */
async function openapi (app: FastifyInstance) {
  for (const model of MODELS) app.addSchema(model)

  let isProxying = false
  app.addHook('onRoute', ({ config }) => { isProxying ||= config?.proxied === true })

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: INFO,
      servers: [{ url: '/' }],
      tags: [...TAGS],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A token (`dockapi token create`, `POST /tokens`) or DOCKAPI_TOKEN. Not needed on a loopback address while there is none.' } } },
      security: [{ bearer: [] }, {}]
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) },
    transform: ({ schema, url, route: { config, method } }) => {
      if (config?.proxied === true) return { url, schema: { ...schema, hide: true } }
      const described = isEventStream(method, schema) ? withSocket(schema) : schema
      return { url, schema: config?.public === true ? { ...described, security: [] } : described }
    },
    transformObject: (input) => {
      const document = ('openapiObject' in input ? input.openapiObject : {}) as Document
      if (isProxying) document.paths = { ...document.paths, [PROXIED_PATH]: proxiedPathItem() }
      return completeDocument(document, PROBLEM_EXAMPLES)
    }
  })
}

/** Every stream of events answers a WebSocket on the same path. */
function isEventStream (method: string | string[], schema: FastifySchema): boolean {
  const success = (schema.response as Record<string, { content?: object }> | undefined)?.['200']
  return [method].flat().includes('GET') && ['application/x-ndjson', 'text/event-stream'].every((type) => Object.hasOwn(success?.content ?? {}, type))
}

function withSocket (schema: FastifySchema): FastifySchema {
  return { ...schema, description: `${schema.description}\n\n${EVENT_SOCKET}`, response: { 101: SWITCH_RESPONSE, ...schema.response as object } }
}

export default fp(openapi, { name: 'openapi', fastify: '5.x' })
