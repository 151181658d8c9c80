import type { Server } from 'node:http'
import Fastify from 'fastify'
import type { FastifyHttpOptions, FastifyServerOptions } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Config } from './config/schema.ts'
import { headTimeouts } from './forward/head-timeouts.ts'
import { isProxyUpgrade, routerUrl } from './forward/proxy-url.ts'
import { requestIdFrom } from './log/request-id.ts'
import { isSocketRequest } from './sockets/handshake.ts'
import audit from '../plugins/audit.ts'
import abort from '../plugins/abort.ts'
import containerPages from '../plugins/container-pages.ts'
import containers from '../plugins/containers.ts'
import engine from '../plugins/engine.ts'
import execs from '../plugins/execs.ts'
import errors, { answerClientError, answerFrameworkError } from '../plugins/errors.ts'
import filter from '../plugins/filter.ts'
import forwarder from '../plugins/forwarder.ts'
import gateway from '../plugins/gateway.ts'
import guard from '../plugins/guard.ts'
import jsonBody from '../plugins/json-body.ts'
import lifetimes from '../plugins/lifetimes.ts'
import launches from '../plugins/launches.ts'
import metrics from '../plugins/metrics.ts'
import openapi from '../plugins/openapi.ts'
import policy from '../plugins/policy.ts'
import pulls from '../plugins/pulls.ts'
import rateLimits from '../plugins/rate-limits.ts'
import requestId from '../plugins/request-id.ts'
import shutdown from '../plugins/shutdown.ts'
import slots from '../plugins/slots.ts'
import slowClients from '../plugins/slow-clients.ts'
import store from '../plugins/store.ts'
import streams from '../plugins/streams.ts'
import tombstones from '../plugins/tombstones.ts'
import tokens from '../plugins/tokens.ts'
import upgrade from '../plugins/upgrade.ts'
import websocket from '../plugins/websocket.ts'
import { buildSerializer } from '../plugins/serialization.ts'
import { buildValidator } from '../plugins/validation.ts'
import apiRoutes from '../routes/api.ts'
import auditRoutes from '../routes/audit.ts'
import buildRoutes from '../routes/build.ts'
import containerRoutes from '../routes/containers.ts'
import docsRoutes from '../routes/docs.ts'
import eventRoutes from '../routes/events.ts'
import execRoutes from '../routes/exec.ts'
import fileRoutes from '../routes/files.ts'
import healthRoutes from '../routes/health.ts'
import imageArchiveRoutes from '../routes/image-archives.ts'
import imageRoutes from '../routes/images.ts'
import launchRoutes from '../routes/launch.ts'
import lifecycleRoutes from '../routes/lifecycle.ts'
import logRoutes from '../routes/logs.ts'
import mergedLogRoutes from '../routes/merged-logs.ts'
import metricsRoutes from '../routes/metrics.ts'
import middlewareRoutes from '../routes/middlewares.ts'
import policyRoutes from '../routes/policy.ts'
import proxyInfoRoutes from '../routes/proxy-info.ts'
import proxyRoutes from '../routes/proxy.ts'
import replicaRoutes from '../routes/replicas.ts'
import routeRoutes from '../routes/routes.ts'
import runRoutes from '../routes/run.ts'
import statsRoutes from '../routes/stats.ts'
import tombstoneRoutes from '../routes/tombstones.ts'
import tokenRoutes from '../routes/tokens.ts'

export type App = Awaited<ReturnType<typeof buildApp>>

/** Settings of the HTTP server that tests and production share (DESIGN section 8, research G1, G5, b25-b27). */
export const SERVER_OPTIONS = {
  bodyLimit: 1024 ** 2,
  requestTimeout: 0,
  forceCloseConnections: 'idle',
  return503OnClosing: true,
  routerOptions: { maxParamLength: 256 },
  rewriteUrl: routerUrl,
  http: { shouldUpgradeCallback: (request) => isProxyUpgrade(request) || isSocketRequest(request) },
  genReqId: ({ headers }) => requestIdFrom(headers['x-request-id']),
  frameworkErrors: answerFrameworkError,
  clientErrorHandler: answerClientError,
  schemaController: { compilersFactory: { buildSerializer, buildValidator } }
} as const satisfies FastifyHttpOptions<Server>

/** Composes the API: plugins first, then routes, in the order in which they are read. Nothing listens and nothing is dialled yet. */
export async function buildApp (config: Config, options: Pick<FastifyServerOptions, 'logger'> = {}) {
  const http = { ...SERVER_OPTIONS.http, ...headTimeouts(config.clientTimeout * 1000) }
  const app = Fastify({ ...SERVER_OPTIONS, http, ...options }).withTypeProvider<TypeBoxTypeProvider>()

  await app.register(errors)
  await app.register(requestId)
  await app.register(metrics)
  await app.register(shutdown, {})
  await app.register(store, { dataDir: config.dataDir })
  await app.register(audit, { keepDays: config.audit })
  await app.register(tokens, { config })
  await app.register(guard, { config })
  await app.register(jsonBody)
  await app.register(rateLimits, { perMinute: config.rateLimit, redisUrl: config.rateLimitRedis })
  await app.register(slots, { limits: config })
  await app.register(slowClients, { timeoutMs: config.clientTimeout * 1000 })
  await app.register(openapi)
  await app.register(abort)
  await app.register(engine, { environment: config.engine })
  await app.register(policy, { config })
  await app.register(pulls, { environment: config.engine })
  await app.register(tombstones, { keepHours: config.tombstones })
  await app.register(containers, { config })
  await app.register(launches)
  await app.register(containerPages)
  await app.register(forwarder)
  await app.register(websocket)
  await app.register(streams)
  await app.register(execs)
  await app.register(upgrade)
  await app.register(gateway, { config })
  await app.register(filter, { config })
  await app.register(lifetimes, {})

  await app.register(healthRoutes)
  await app.register(metricsRoutes)
  await app.register(imageRoutes)
  await app.register(imageArchiveRoutes)
  await app.register(buildRoutes)
  await app.register(containerRoutes)
  await app.register(runRoutes)
  await app.register(policyRoutes)
  await app.register(launchRoutes, { domain: config.domain })
  await app.register(lifecycleRoutes)
  await app.register(replicaRoutes)
  await app.register(logRoutes)
  await app.register(mergedLogRoutes)
  await app.register(tombstoneRoutes)
  await app.register(eventRoutes)
  await app.register(statsRoutes)
  await app.register(execRoutes)
  await app.register(fileRoutes)
  await app.register(proxyInfoRoutes)
  await app.register(proxyRoutes)
  await app.register(routeRoutes)
  await app.register(middlewareRoutes)
  await app.register(tokenRoutes)
  await app.register(auditRoutes)
  await app.register(apiRoutes, { prefix: '/api' })
  await app.register(docsRoutes)
  return app
}
