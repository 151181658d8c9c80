import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** Collects every route that is registered while `build` runs, hidden ones included. */
export async function collectRoutes<T> (build: () => Promise<T>): Promise<{ app: T, routes: RouteOptions[] }> {
  const routes: RouteOptions[] = []
  function watch (message: unknown) {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', (route) => { routes.push(route) })
  }
  subscribe('fastify.initialization', watch)
  try {
    return { app: await build(), routes }
  } finally {
    unsubscribe('fastify.initialization', watch)
  }
}

/** `/containers/{id}/logs` of `/containers/:id/logs`. */
export function openapiPath (url: string): string {
  return url.replaceAll(/:(\w+)/g, '{$1}')
}

export function methodsOf (route: RouteOptions): string[] {
  return [route.method].flat()
}
