import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import type { FastifyRequest } from 'fastify'
import { hasScope } from '../src/auth/principal.ts'
import { refuseNarrowed, visibleRoutes } from '../src/auth/routes.ts'
import { DockApiError } from '../src/errors.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { ExplanationSchema, ExplainQuerySchema } from '../schemas/explain.ts'
import { RouteOverrideSchema, RouteParamsSchema, RouteSchema, SettingVersionSchema, StaticRouteParamsSchema, StaticRouteSchema, UndoQuerySchema } from '../schemas/routes.ts'
import type { RouteInfo } from '../schemas/routes.ts'
import { versionOf } from '../src/gateway/setting-version.ts'

/** What the gateway answers where, and changes of it. */
const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/routes', {
    config: { scope: 'read' },
    schema: {
      operationId: 'listRoutes',
      tags: ['Gateway'],
      summary: 'List the routes of the gateway',
      description: 'What answers where, as far as the token may see the containers behind it, the state of each container behind it with its traffic, and what keeps a container from its host. Empty while no gateway runs.',
      response: { 200: { description: 'The routes of this moment: those of the API first, then the oldest container\'s.', content: { 'application/json': { schema: Type.Array(ref(RouteSchema)) } } }, ...problems() }
    }
  }, async (request) => await routesFor(request))

  app.get('/routes/explain', {
    config: { scope: 'read' },
    preHandler: refuseIfNarrowed,
    schema: {
      operationId: 'explainUrl',
      tags: ['Gateway'],
      summary: 'Say why a URL reaches what it reaches, or nothing',
      description: 'The route that matches, the ones that nearly do and what they lack, the addresses behind it and why these, and containers that would answer here if they were exposed. Nothing is sent to any container.',
      querystring: ExplainQuerySchema,
      response: { 200: ref(ExplanationSchema), ...problems() }
    }
  }, async ({ query, gone }) => await app.gateway.explain(query, gone))

  app.post('/routes', {
    config: { scope: 'routes' },
    preHandler: refuseIfNarrowed,
    schema: {
      operationId: 'createRoute',
      tags: ['Gateway'],
      summary: 'Add a route',
      description: 'To servers by their URL, or to a container or compose service by its name. It outlives restarts, and comes before what labels say.',
      body: ref(StaticRouteSchema),
      response: {
        201: { description: 'It works.', headers: { location: { type: 'string', description: 'Where it is changed.' } }, content: { 'application/json': { schema: ref(RouteSchema) } } },
        ...problems(409, 413, 415)
      }
    }
  }, async ({ body, principal }, reply) => {
    const id = `${body.name}@api`
    if (app.gateway.settings.get('route', body.name) !== undefined) throw new DockApiError('route_exists', `There is a route "${id}" already.`)
    app.gateway.settings.put('route', body.name, body, principal.name)
    return reply.code(201).header('location', `/routes/${id}`).send(find(id))
  })

  app.get('/routes/:route', {
    config: { scope: 'read' },
    schema: {
      operationId: 'getRoute',
      tags: ['Gateway'],
      summary: 'Show a route',
      params: RouteParamsSchema,
      response: { 200: ref(RouteSchema), ...problems(404) }
    }
  }, async (request) => find(request.params.route, await routesFor(request)))

  app.put('/routes/:route', {
    config: { scope: 'routes' },
    preHandler: refuseIfNarrowed,
    schema: {
      operationId: 'replaceRoute',
      tags: ['Gateway'],
      summary: 'Replace a route of the API, or add it',
      description: 'For routes that labels declare, see `PUT /routes/{route}/override`.',
      params: StaticRouteParamsSchema,
      body: ref(StaticRouteSchema),
      response: { 200: ref(RouteSchema), ...problems(409, 413, 415) }
    }
  }, async ({ params: { route: id }, body, principal }) => {
    if (id.endsWith('@docker')) throw new DockApiError('route_of_labels', `The route "${id}" comes from labels of a container.`)
    app.gateway.settings.put('route', nameOf(id), { ...body, name: nameOf(id) }, principal.name)
    return find(`${nameOf(id)}@api`)
  })

  app.delete('/routes/:route', {
    config: { scope: 'routes' },
    preHandler: refuseIfNarrowed,
    schema: {
      operationId: 'removeRoute',
      tags: ['Gateway'],
      summary: 'Remove a route of the API',
      description: 'Requests in flight finish. `POST /routes/{route}/undo` brings it back.',
      params: StaticRouteParamsSchema,
      response: { 204: Type.Null({ description: 'It is gone.' }), ...problems(404, 409) }
    }
  }, async ({ params: { route: id }, principal }, reply) => {
    if (id.endsWith('@docker')) throw new DockApiError('route_of_labels', `The route "${id}" comes from labels of a container.`)
    app.gateway.settings.remove('route', nameOf(id), principal.name)
    return reply.code(204).send(null)
  })

  app.put('/routes/:route/override', {
    config: { scope: 'routes' },
    preHandler: refuseIfNarrowed,
    schema: {
      operationId: 'overrideRoute',
      tags: ['Gateway'],
      summary: 'Change what labels say of a route',
      description: 'Labels cannot be changed while a container lives; this says otherwise for a route, by its id, also after the container was made anew under the same name.',
      params: RouteParamsSchema,
      body: ref(RouteOverrideSchema),
      response: { 200: ref(RouteSchema), ...problems(404, 409, 413, 415) }
    }
  }, async ({ params: { route: id }, body, principal }) => {
    const { id: found, provider } = find(id)
    if (provider === 'api') throw new DockApiError('route_of_api', `The route "${found}" is one of the API.`)
    app.gateway.settings.put('override', found, body, principal.name)
    return find(found)
  })

  app.delete('/routes/:route/override', {
    config: { scope: 'routes' },
    preHandler: refuseIfNarrowed,
    schema: {
      operationId: 'restoreRoute',
      tags: ['Gateway'],
      summary: 'Let labels count again',
      params: RouteParamsSchema,
      response: { 204: Type.Null({ description: 'The labels count.' }), ...problems(404) }
    }
  }, async ({ params: { route: id }, principal }, reply) => {
    app.gateway.settings.remove('override', settingOf(id).id, principal.name)
    return reply.code(204).send(null)
  })

  app.get('/routes/:route/versions', {
    config: { scope: 'read' },
    preHandler: refuseIfNarrowed,
    schema: {
      operationId: 'listRouteVersions',
      tags: ['Gateway'],
      summary: 'List what the API said of a route, and when',
      params: RouteParamsSchema,
      response: { 200: { description: 'The newest first; the last hundred are kept.', content: { 'application/json': { schema: Type.Array(ref(SettingVersionSchema)) } } }, ...problems(404) }
    }
  }, async ({ params: { route: id } }) => {
    const { kind, id: key } = settingOf(id)
    return app.gateway.settings.versions(kind, key).map(versionOf)
  })

  app.post('/routes/:route/undo', {
    config: { scope: 'routes' },
    preHandler: refuseIfNarrowed,
    schema: {
      operationId: 'undoRoute',
      tags: ['Gateway'],
      summary: 'Take back the last change of a route',
      description: 'Again and again takes back one change after the other; `version` brings back that one. Every undo is a new version, and nothing is lost. Answers with what is set now; `document` is null when nothing is.',
      params: RouteParamsSchema,
      querystring: UndoQuerySchema,
      response: { 200: ref(SettingVersionSchema), ...problems(404) }
    }
  }, async ({ params: { route: id }, query: { version }, principal }) => {
    const { kind, id: key } = settingOf(id)
    return versionOf(app.gateway.settings.undo(kind, key, version, principal.name))
  })

  async function routesFor ({ principal, containers, gone }: FastifyRequest): Promise<RouteInfo[]> {
    const all = app.gateway.routes()
    // Who may do everything also sees what only the gateway serves.
    return hasScope(principal, 'admin') ? all : visibleRoutes(all, await containers.list({}, gone), principal.grant)
  }

  /** By its id, or by its name alone where that is one of the API's, else of a container's. */
  function find (id: string, all: readonly RouteInfo[] = app.gateway.routes()): RouteInfo {
    const route = all.find((route) => route.id === id || route.id === `${id}@api`) ?? all.find((route) => route.id === `${id}@docker`)
    if (route === undefined) throw new DockApiError('setting_not_found', `There is no route "${id}".`)
    return route
  }

  function settingOf (id: string): { kind: 'route' | 'override', id: string } {
    if (id.endsWith('@api')) return { kind: 'route', id: nameOf(id) }
    if (id.endsWith('@docker')) return { kind: 'override', id }
    return app.gateway.settings.get('override', `${id}@docker`) === undefined ? { kind: 'route', id } : { kind: 'override', id: `${id}@docker` }
  }
}

/** What a token narrowed to some containers may not do: a route is the whole gateway's. */
async function refuseIfNarrowed ({ principal }: FastifyRequest) {
  refuseNarrowed(principal)
}

function nameOf (id: string): string {
  return id.replace(/@api$/, '')
}

export default routes
