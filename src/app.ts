import Fastify from 'fastify'
import type { FastifyServerOptions } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Config } from './config/schema.ts'
import engine from '../plugins/engine.ts'
import errors from '../plugins/errors.ts'
import guard from '../plugins/guard.ts'
import openapi from '../plugins/openapi.ts'
import docs from '../routes/docs.ts'
import health from '../routes/health.ts'

export type App = Awaited<ReturnType<typeof buildApp>>

/** Settings of the HTTP server that tests and production share (DESIGN section 8, research G1, G5, b25-b27). */
export const SERVER_OPTIONS = {
  bodyLimit: 1024 ** 2,
  requestTimeout: 0,
  forceCloseConnections: 'idle',
  return503OnClosing: true,
  routerOptions: { maxParamLength: 256 },
  ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', useDefaults: true, allErrors: true } }
} as const satisfies FastifyServerOptions

/** Composes the API: plugins first, then routes, in the order in which they are read. Nothing listens and nothing is dialled yet. */
export async function buildApp (config: Config, options: Pick<FastifyServerOptions, 'logger'> = {}) {
  const app = Fastify({ ...SERVER_OPTIONS, ...options }).withTypeProvider<TypeBoxTypeProvider>()

  await app.register(errors)
  await app.register(guard, { config })
  await app.register(openapi)
  await app.register(engine, { environment: config.engine })

  await app.register(health)
  await app.register(docs)
  return app
}
