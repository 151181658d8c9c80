import fp from 'fastify-plugin'
import cors from '@fastify/cors'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import { NOBODY, requireScope } from '../src/auth/principal.ts'
import type { Principal } from '../src/auth/principal.ts'
import { ticketInUrl } from '../src/auth/url.ts'
import { createGuard } from '../src/guard/guard.ts'
import type { Guard, GuardedRequest } from '../src/guard/guard.ts'
import type { Config } from '../src/config/schema.ts'
import type { Scope } from '../schemas/scopes.ts'

declare module 'fastify' {
  interface FastifyInstance { guard: Guard }
  interface FastifyRequest {
    /** Whom the request is from. */
    readonly principal: Principal
  }
  interface FastifyContextConfig {
    /** The route needs no token. Everything else does, once there is a token. */
    public?: boolean
    /** What a token must be good for to use the route, or `any`; every route that is not public says so, or the server does not start. */
    scope?: Scope | 'any'
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
  exposedHeaders: ['link', 'location', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'retry-after', 'x-request-id'],
  maxAge: 600
}

const GUARDED = Symbol('guarded')
const PRINCIPAL = Symbol('principal')

type Tracked = FastifyRequest & { [GUARDED]?: GuardedRequest, [PRINCIPAL]?: Principal }

/** Decides for every request, upgrades and unknown routes included, who may call. The order of the hooks is the order of the checks. */
async function guard (app: FastifyInstance, options: { config: Config }) {
  const created = createGuard(options.config, app.tokens, app.tickets)
  app.decorate('guard', created)
  app.decorateRequest('principal', { getter (this: FastifyRequest) { return (this as Tracked)[PRINCIPAL] ?? NOBODY } })

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
    const principal = created.authenticate(guarded(request))
    const { scope } = request.routeOptions.config;
    (request as Tracked)[PRINCIPAL] = principal
    if (scope !== undefined && scope !== 'any') requireScope(principal, scope)
    if (isProxied(request)) return
    forgetTypeOfNothing(request)
    forgetTicket(request)
  })
  requireScopeOfRoutes(app)

  // JSON is the only body of the API. Forms and text are what a foreign page can send without asking (CSRF).
  app.removeContentTypeParser('text/plain')
}

/** A route that says nothing of who may use it stops the start: hooks of its own plugin may still have their say until then. */
function requireScopeOfRoutes (app: FastifyInstance) {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => { routes.push(route) })
  app.addHook('onReady', async () => {
    const open = routes.filter(({ config }) => config?.public !== true && config?.scope === undefined)
    if (open.length > 0) throw new Error(`${open.map(({ method, url }) => `${String(method)} ${url}`).join(', ')}: config says neither scope nor public.`)
  })
}

function guarded (request: Tracked): GuardedRequest {
  request[GUARDED] ??= {
    method: request.method,
    url: request.originalUrl,
    headers: request.headers,
    address: request.socket.remoteAddress ?? '',
    isPublic: request.routeOptions.config.public === true,
    isProxied: isProxied(request)
  }
  return request[GUARDED]
}

function isProxied (request: FastifyRequest): boolean {
  return request.routeOptions.config.proxied === true
}

/** PowerShell names a content type (that of forms) on a POST without a body; a body that is not there has no type. */
function forgetTypeOfNothing ({ raw: { headers } }: FastifyRequest): void {
  const isEmpty = headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'
  if (isEmpty) delete headers['content-type']
}

/** A ticket is no parameter of the route. */
function forgetTicket ({ originalUrl, query }: FastifyRequest): void {
  if (ticketInUrl(originalUrl) !== undefined) delete (query as { ticket?: unknown }).ticket
}

export default fp(guard, { name: 'guard', fastify: '5.x', dependencies: ['errors', 'tokens'] })
