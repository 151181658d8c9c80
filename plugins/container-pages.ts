import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { pageFromPublishedPort } from '../src/guard/origin.ts'
import { DockApiError } from '../src/errors.ts'

/**
 * Loopback pages may call the API, for local testing; but a container's own page, opened at its published port, is a loopback
 * page too, and its image is untrusted. The guard knows no containers, so this is asked here: only of requests with such an origin.
 */
async function containerPages (app: FastifyInstance) {
  app.addHook('onRequest', async ({ headers: { origin, host }, routeOptions: { config } }) => {
    if (config.proxied === true || config.public === true) return
    const port = pageFromPublishedPort(origin, host)
    if (port === undefined || app.guard.isOriginConfigured(origin!) || !await app.containers.isPublishedPort(port)) return
    throw new DockApiError('origin_not_allowed', `Pages of the origin "${origin}" may not call the API: a container publishes that port.`)
  })
}

export default fp(containerPages, { name: 'container-pages', fastify: '5.x', dependencies: ['guard', 'containers'] })
