import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { refuseNarrowed } from '../src/auth/routes.ts'
import { versionOf } from '../src/gateway/setting-version.ts'
import { MiddlewareSchema } from '../schemas/middlewares.ts'
import type { Middleware } from '../schemas/middlewares.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { MiddlewareParamsSchema, SettingVersionSchema, StoredMiddlewareSchema } from '../schemas/routes.ts'
import type { StoredMiddleware } from '../schemas/routes.ts'

/** Middlewares that labels and routes refer to by `name@api` and `name@file`. */
const middlewares: FastifyPluginAsyncTypebox = async (app) => {
  // They are the whole gateway's.
  app.addHook('preHandler', async ({ principal }) => { refuseNarrowed(principal) })

  app.get('/middlewares', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listMiddlewares',
      tags: ['Gateway'],
      summary: 'List the middlewares of the API and of the file',
      description: 'Those that containers declare by labels stand with their routes. Passwords are not shown.',
      response: { 200: { description: 'By name.', content: { 'application/json': { schema: Type.Array(ref(StoredMiddlewareSchema)) } } }, ...problems() }
    }
  }, async () => app.gateway.middlewares().map(withoutSecrets))

  app.put('/middlewares/:name', {
    config: { scope: 'routes' },
    schema: {
      operationId: 'putMiddleware',
      tags: ['Gateway'],
      summary: 'Define a middleware',
      description: 'Routes that refer to it use it at once.',
      params: MiddlewareParamsSchema,
      body: ref(MiddlewareSchema),
      response: { 200: ref(StoredMiddlewareSchema), ...problems(413, 415) }
    }
  }, async ({ params: { name }, body, principal }) => {
    app.gateway.settings.put('middleware', name, body, principal.name)
    return withoutSecrets({ name, provider: 'api', definition: body })
  })

  app.delete('/middlewares/:name', {
    config: { scope: 'routes' },
    schema: {
      operationId: 'removeMiddleware',
      tags: ['Gateway'],
      summary: 'Remove a middleware',
      description: 'Routes that refer to it answer 503 from then on: what it checked is checked no more.',
      params: MiddlewareParamsSchema,
      response: { 204: Type.Null({ description: 'It is gone.' }), ...problems(404) }
    }
  }, async ({ params: { name }, principal }, reply) => {
    app.gateway.settings.remove('middleware', name, principal.name)
    return reply.code(204).send(null)
  })

  app.post('/middlewares/:name/undo', {
    config: { scope: 'routes' },
    schema: {
      operationId: 'undoMiddleware',
      tags: ['Gateway'],
      summary: 'Take back the last change of a middleware',
      params: MiddlewareParamsSchema,
      response: { 200: ref(SettingVersionSchema), ...problems(404) }
    }
  }, async ({ params: { name }, principal }) => {
    const version = app.gateway.settings.undo('middleware', name, undefined, principal.name)
    return versionOf({ ...version, document: version.document === null ? null : hideSecrets(version.document as Middleware) })
  })
}

function withoutSecrets (middleware: StoredMiddleware): StoredMiddleware {
  return { ...middleware, definition: hideSecrets(middleware.definition) }
}

/** Hashes of passwords are secrets too. */
function hideSecrets (definition: Middleware): Middleware {
  const { basic_auth: auth } = definition
  return auth?.users === undefined ? definition : { basic_auth: { ...auth, users: auth.users.map((user) => `${user.split(':', 1)[0]}:[redacted]`) } }
}

export default middlewares
