import fp from 'fastify-plugin'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { TAGS } from '../schemas/common.ts'
import { MODELS } from '../schemas/index.ts'
import { PROXIED_PATH, proxiedPathItem } from '../schemas/proxied.ts'

/** Beside the version in package.json (tested). */
const INFO = {
  title: 'dockAPI',
  version: '0.1.0',
  summary: 'Run Docker containers over HTTP and reach each one at a URL that already works.',
  description: 'Pull images, run containers, read their logs, run commands inside them, and reach the applications that they serve.\n\n' +
    'Every failure is an [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem document with a stable `code` ([all codes](/docs/errors)), ' +
    'a plain sentence in `detail` and what to do next in `hint`.',
  license: { name: 'MIT', identifier: 'MIT' }
}

type Json = Record<string, unknown>
type Operation = { requestBody?: { content?: Content }, responses: Record<string, { content?: Content }> }
type Content = Record<string, { schema?: Json, example?: unknown, examples?: unknown }>
type Document = { paths?: Record<string, Json>, components?: { schemas?: Record<string, Json> } }

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
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'DOCKAPI_TOKEN. Not needed on a loopback address while no token is set.' } } },
      security: [{ bearer: [] }, {}]
    },
    refResolver: { buildLocalReference: (json) => String(json.$id) },
    transform: ({ schema, url, route: { config } }) => {
      if (config?.proxied === true) return { url, schema: { ...schema, hide: true } }
      return { url, schema: config?.public === true ? { ...schema, security: [] } : schema }
    },
    transformObject: (input) => {
      const document = ('openapiObject' in input ? input.openapiObject : {}) as Document
      if (isProxying) document.paths = { ...document.paths, [PROXIED_PATH]: proxiedPathItem() }
      return finish(document)
    }
  })
}

/** Sorts the models, so that the committed document does not depend on the order of imports, and shows their examples where they are used. */
function finish (document: Document): Json {
  const schemas = Object.fromEntries(Object.entries(document.components?.schemas ?? {}).sort(([a], [b]) => a < b ? -1 : 1))
  for (const item of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(item) as Operation[]) {
      for (const { content } of [operation.requestBody ?? {}, ...Object.values(operation.responses)]) showExamples(content ?? {}, schemas)
    }
  }
  const { components, paths, ...head } = document
  return { ...head, paths, components: { ...components, schemas } }
}

function showExamples (content: Content, schemas: Record<string, Json>): void {
  for (const media of Object.values(content)) {
    if (media.example !== undefined || media.examples !== undefined) continue
    const example = exampleOf(media.schema ?? {}, schemas)
    if (example !== undefined) media.example = example
  }
}

function exampleOf (schema: Json, schemas: Record<string, Json>): unknown {
  if (Array.isArray(schema.examples)) return schema.examples[0]
  if (typeof schema.$ref === 'string') return exampleOf(schemas[schema.$ref.split('/').at(-1)!] ?? {}, schemas)
  if (schema.type !== 'array') return undefined
  const item = exampleOf(schema.items as Json, schemas)
  return item === undefined ? undefined : [item]
}

export default fp(openapi, { name: 'openapi', fastify: '5.x' })
