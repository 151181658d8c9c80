import type { Server } from 'node:http'
import Fastify from 'fastify'
import type { FastifyHttpOptions, FastifyServerOptions } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Config } from './config/schema.ts'
import { isProxyUpgrade, routerUrl } from './forward/proxy-url.ts'
import engine from '../plugins/engine.ts'
import errors from '../plugins/errors.ts'
import forwarder from '../plugins/forwarder.ts'
import openapi from '../plugins/openapi.ts'
import upgrade from '../plugins/upgrade.ts'
import health from '../routes/health.ts'
import proxy from '../routes/proxy.ts'

export type App = Awaited<ReturnType<typeof buildApp>>

/** Settings of the HTTP server that tests and production share (DESIGN section 8, research G1, G5, b25-b27). */
export const SERVER_OPTIONS = {
  bodyLimit: 1024 ** 2,
  requestTimeout: 0,
  forceCloseConnections: 'idle',
  return503OnClosing: true,
  routerOptions: { maxParamLength: 256 },
  rewriteUrl: routerUrl,
  http: { shouldUpgradeCallback: isProxyUpgrade },
  ajv: { customOptions: { removeAdditional: false, coerceTypes: 'array', useDefaults: true, allErrors: true } }
} as const satisfies FastifyHttpOptions<Server>

/** Composes the API: plugins first, then routes, in the order in which they are read. Nothing listens and nothing is dialled yet. */
export async function buildApp (config: Config, options: Pick<FastifyServerOptions, 'logger'> = {}) {
  const app = Fastify({ ...SERVER_OPTIONS, ...options }).withTypeProvider<TypeBoxTypeProvider>()

  await app.register(errors)
  await app.register(openapi)
  await app.register(engine, { environment: config.engine })
  await app.register(forwarder)
  await app.register(upgrade)

  await app.register(health)
  await app.register(proxy, { token: config.token })
  return app
}
