import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { pageFromPublishedPort } from '../src/guard/origin.ts'
import { DockApiError } from '../src/errors.ts'

/**
 * Loopback pages may call the API, for local testing; but a container's own page, opened at its published port, is a loopback
 * page too, and so is one that the gateway serves under a loopback name; their images are untrusted. The guard knows no containers, so this is asked here: only of requests with such an origin.
 */
async function containerPages (app: FastifyInstance) {
  app.addHook('onRequest', async ({ headers: { origin, host }, routeOptions: { config } }) => {
    if (config.proxied === true || config.public === true) return
    const port = pageFromPublishedPort(origin, host)
    if (port === undefined || app.guard.isOriginConfigured(origin!)) return
    const isContainers = app.gateway.port === port || await app.containers.isPublishedPort(port)
    if (isContainers) throw new DockApiError('origin_not_allowed', `Pages of the origin "${origin}" may not call the API: containers answer at that port.`)
  })
}

export default fp(containerPages, { name: 'container-pages', fastify: '5.x', dependencies: ['guard', 'containers'] })
