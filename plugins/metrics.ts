import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { heldUpgrade } from '../src/forward/held-upgrade.ts'
import { createMetrics } from '../src/metrics/metrics.ts'
import type { Metrics } from '../src/metrics/metrics.ts'
import { VERSION } from './openapi.ts'

declare module 'fastify' {
  interface FastifyInstance { metrics: Metrics }
}

/** Counts every request to the API, from before the first check to the end of its answer or its socket. */
async function metrics (app: FastifyInstance) {
  const created = createMetrics({
    version: VERSION,
    streamsOpen: () => app.streams.open,
    tombstones: () => app.tombstones.list(() => true).length,
    gateway: () => app.gateway.measure()
  })
  app.decorate('metrics', created)

  app.addHook('onRequest', (request, reply, done) => {
    const startedMs = performance.now()
    const operation = operationOf(request)
    const upgrade = heldUpgrade(request.raw)
    created.api.begin(operation);
    (upgrade?.socket ?? reply.raw).once('close', () => {
      const status = upgrade !== undefined && !reply.raw.headersSent ? 101 : reply.raw.statusCode
      created.api.end(operation, status, (performance.now() - startedMs) / 1000)
    })
    done()
  })
}

function operationOf ({ method, routeOptions: { url, schema, config } }: FastifyRequest): string {
  if (url === undefined) return 'none'
  return config.proxied === true ? 'proxy' : (schema as { operationId?: string } | undefined)?.operationId ?? `${method} ${url}`
}

export default fp(metrics, { name: 'metrics', fastify: '5.x' })
