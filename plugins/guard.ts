import fp from 'fastify-plugin'
import cors from '@fastify/cors'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createGuard } from '../src/guard/guard.ts'
import type { Guard, GuardedRequest } from '../src/guard/guard.ts'
import type { Config } from '../src/config/schema.ts'
import type { Scope } from '../schemas/scopes.ts'

declare module 'fastify' {
  interface FastifyInstance { guard: Guard }
  interface FastifyRequest { readonly principal: { name: string } }
  interface FastifyContextConfig {
    /** The route needs no token. Everything else does, once there is a token. */
    public?: boolean
    /** What a token must be good for to use the route; every route that is not public says so. */
    scope?: Scope
    /** The route belongs to a container's application: CORS, origins and headers are the application's own. */
    proxied?: boolean
  }
}

/** On every answer of the API itself. Pages set a `content-security-policy` of their own. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY'
}

const CORS = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowedHeaders: ['accept', 'authorization', 'content-type', 'last-event-id'],
  exposedHeaders: ['link', 'location', 'retry-after'],
  maxAge: 600
}

/** Decides for every request, upgrades and unknown routes included, who may call. The order of the hooks is the order of the checks. */
async function guard (app: FastifyInstance, options: { config: Config }) {
  const created = createGuard(options.config)
  app.decorate('guard', created)
  app.decorateRequest('principal', { getter: () => ({ name: 'admin' }) })

  app.addHook('onRequest', async (request, reply) => {
    if (!isProxied(request)) reply.headers(HEADERS)
    created.checkSource(guarded(request))
  })

  app.addHook('onRoute', ({ config }) => { if (config?.proxied === true) Object.assign(config, { cors: false }) })
  // Before the token: a browser asks its preflight question without one.
  await app.register(cors, {
    delegator: (request, callback) => {
      const { origin, host } = request.headers
      const isAllowed = origin !== undefined && created.isOriginAllowed(origin, host)
      callback(null, { ...CORS, origin: isAllowed ? origin : false })
    }
  })

  app.addHook('onRequest', async (request) => {
    created.checkToken(guarded(request))
    if (!isProxied(request)) forgetTypeOfNothing(request)
  })

  // JSON is the only body of the API. Forms and text are what a foreign page can send without asking (CSRF).
  app.removeContentTypeParser('text/plain')
}

function guarded (request: FastifyRequest): GuardedRequest {
  const isPublic = request.routeOptions.config.public === true
  return { method: request.method, headers: request.headers, isPublic, isProxied: isProxied(request) }
}

function isProxied (request: FastifyRequest): boolean {
  return request.routeOptions.config.proxied === true
}

/** PowerShell names a content type (that of forms) on a POST without a body; a body that is not there has no type. */
function forgetTypeOfNothing ({ raw: { headers } }: FastifyRequest): void {
  const isEmpty = headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'
  if (isEmpty) delete headers['content-type']
}

export default fp(guard, { name: 'guard', fastify: '5.x', dependencies: ['errors'] })
