import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { MiddlewareSchema } from './middlewares.ts'
import { model, nullable, oneOf, ref } from './model.ts'
import { ServiceSettingsSchema } from './services.ts'
import { TrafficSchema } from './traffic.ts'

export const UPSTREAM_STATES = ['up', 'opening', 'starting', 'unhealthy', 'probing', 'failing', 'ejected', 'draining', 'paused', 'down', 'unreachable'] as const
export type UpstreamState = (typeof UPSTREAM_STATES)[number]

/** Where a route comes from: labels of a container, or the API. */
export const ROUTE_PROVIDERS = ['docker', 'api'] as const
export type RouteProvider = (typeof ROUTE_PROVIDERS)[number]

/** Of routes and middlewares: what Traefik allows in labels, so that a reference can be written everywhere. */
export const SettingName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}$', description: 'Letters, digits, `_`, `.` and `-`.', examples: ['shop'] })

/** Any route: what labels and variables of a container name has any characters. */
export const RouteParamsSchema = Type.Object({
  route: Type.String({ minLength: 1, description: 'As `GET /routes` tells it, `web@docker`, percent-encoded where it has a `/`; the name alone where it is unambiguous.', examples: ['my-nginx@docker'] })
})
/** One that the API has or makes. */
export const StaticRouteParamsSchema = Type.Object({
  route: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}(@api)?$|@docker$', description: 'Its name, or its id: `nas@api`.', examples: ['nas'] })
})
export const MiddlewareParamsSchema = Type.Object({ name: SettingName })
export const UndoQuerySchema = Type.Object({ version: Type.Optional(Type.Integer({ minimum: 1, description: 'The version to bring back; the one before the last change when left out.' })) }, { additionalProperties: false })

const RuleText = Type.String({ minLength: 1, maxLength: 4096, description: 'Which requests it is for, in Traefik\'s grammar.', examples: ['Host(`shop.localhost`) && PathPrefix(`/api`)'] })
const Priority = Type.Integer({ minimum: -1_000_000, maximum: 1_000_000, description: 'Higher wins among routes of one host; the length of the rule when left out.' })
const References = Type.Array(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,126}(@(docker|file|api|own))?$' }), { maxItems: 50, description: 'Names of middlewares, in the order in which they act; `name@api`, `name@file`, `name@docker` say where to look.', examples: [['auth@api']] })

export const StaticRouteSchema = model('StaticRoute', {
  name: SettingName,
  rule: RuleText,
  priority: Type.Optional(Priority),
  upstreams: Type.Optional(Type.Array(Type.Object({
    url: Type.String({ pattern: '^https?://[^/?#@\\s]+/?$', maxLength: 512, description: 'Scheme, host and port.', examples: ['http://192.168.1.20:8123'] }),
    weight: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: 'Its share; 1 when left out, 0 takes none.' }))
  }, { additionalProperties: false }), { minItems: 1, maxItems: 100, description: 'Servers that answer. Either these or `service`.' })),
  service: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'A container by its name, or a compose service as `<service>-<project>`, whose replicas answer.', examples: ['my-nginx'] })),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Port of the containers of `service`; their main one when left out.' })),
  middlewares: Type.Optional(References),
  settings: Type.Optional(ref(ServiceSettingsSchema))
}, {
  description: 'A route that no label declares.',
  examples: [{ name: 'nas', rule: 'Host(`nas.localhost`)', upstreams: [{ url: 'http://192.168.1.20:8123' }] }, { name: 'shop', rule: 'Host(`shop.localhost`) && PathPrefix(`/api`)', service: 'my-nginx', middlewares: ['auth@api'] }]
})
export type StaticRoute = Static<typeof StaticRouteSchema>

export const RouteOverrideSchema = model('RouteOverride', {
  enabled: Type.Optional(Type.Boolean({ description: '`false`: nothing is routed by it.' })),
  rule: Type.Optional(RuleText),
  priority: Type.Optional(Priority),
  middlewares: Type.Optional(References),
  settings: Type.Optional(ref(ServiceSettingsSchema))
}, { minProperties: 1, description: 'What the API says of a route instead of its labels; all else stays as the labels say. Labels cannot be changed while a container lives.', examples: [{ rule: 'Host(`new.localhost`)' }, { enabled: false }] })
export type RouteOverride = Static<typeof RouteOverrideSchema>

export const StoredMiddlewareSchema = model('StoredMiddleware', {
  name: SettingName,
  provider: oneOf(['api', 'file'], { description: 'The API, or the file of DOCKAPI_MIDDLEWARES_FILE.' }),
  definition: ref(MiddlewareSchema)
}, { description: 'A middleware that routes refer to by `name@api` or `name@file`.', examples: [{ name: 'api-prefix', provider: 'api', definition: { strip_prefix: { prefixes: ['/api'] } } }] })
export type StoredMiddleware = Static<typeof StoredMiddlewareSchema>

export const SettingVersionSchema = model('SettingVersion', {
  version: Type.Integer(),
  document: Type.Unsafe<object | null>({ type: ['object', 'null'], additionalProperties: true, description: 'Null: it was taken away.' }),
  restored_from: nullable(Type.Integer({ description: 'The version that this one brought back.' })),
  changed_at: Type.String({ format: 'date-time' }),
  changed_by: Type.String()
}, { description: 'What was set at a time.', examples: [{ version: 2, document: { rule: 'Host(`new.localhost`)' }, restored_from: null, changed_at: '2026-01-05T10:00:00.000Z', changed_by: 'admin' }] })
export type SettingVersion = Static<typeof SettingVersionSchema>

const RouteUpstream = Type.Object({
  container_id: nullable(Type.String({ description: 'Full id; null for a server that the API named.' })),
  container_name: Type.String(),
  port: nullable(Type.Integer({ description: 'Port of the container; null when it exposes none.' })),
  address: nullable(Type.String({ description: 'What is dialled; null while it cannot be reached.' })),
  reason: Type.String({ description: 'Why this address, or why none.' }),
  state: oneOf(UPSTREAM_STATES, {
    description: '`up` takes requests; `opening` runs, but its port was not seen open yet; `starting` and `unhealthy` are what its HEALTHCHECK says; `probing` was not answered by ' +
      'its health path yet, and `failing` is what that says; `ejected` failed requests lately and gets some again in a moment; `draining` is about to be stopped; `paused`; `down` does not run; `unreachable` has no address that can be dialled from here.'
  }),
  probe: nullable(Type.String({ description: 'What its health path said last; null without one.' })),
  weight: Type.Number({ description: 'Its share beside the others\'.' }),
  traffic: ref(TrafficSchema)
}, { additionalProperties: false })

export const RouteSchema = model('Route', {
  id: Type.String({ description: 'Names it in this API: `web@docker`, `nas@api`.' }),
  name: Type.String(),
  rule: Type.String({ description: 'Which requests it is for.' }),
  priority: Type.Integer({ description: 'Higher wins among the routes of a host.' }),
  hosts: Type.Array(Type.String(), { description: 'Where it answers.' }),
  urls: Type.Array(Type.String(), { description: 'The same as URLs, with the gateway\'s port and the path that the rule asks for.' }),
  service: Type.String({ description: 'The pool behind it; the same through all changes.' }),
  provider: oneOf(ROUTE_PROVIDERS, { description: 'Where the route comes from.' }),
  upstreams: Type.Array(RouteUpstream, { description: 'They answer in turn.' }),
  traffic: ref(TrafficSchema),
  middlewares: Type.Array(Type.String(), { description: 'What acts on its requests, in order.' }),
  overridden: Type.Boolean({ description: 'The API changed what its labels say.' }),
  problems: Type.Array(Type.String(), { description: 'What keeps it from working as its names and labels say.' })
}, {
  description: 'A host of the gateway and the containers that answer there.',
  examples: [{
    id: 'my-nginx@docker',
    name: 'my-nginx',
    rule: 'Host(`my-nginx.localhost`)',
    priority: 25,
    hosts: ['my-nginx.localhost'],
    urls: ['http://my-nginx.localhost:8080/'],
    service: 'container/4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
    provider: 'docker',
    upstreams: [{
      container_id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
      container_name: 'my-nginx',
      port: 80,
      address: 'http://127.0.0.1:52347',
      reason: 'port 80 is published at 127.0.0.1:52347',
      state: 'up',
      probe: null,
      weight: 1,
      traffic: TrafficSchema.examples[0]
    }],
    traffic: TrafficSchema.examples[0],
    middlewares: [],
    overridden: false,
    problems: []
  }]
})
export type RouteInfo = Static<typeof RouteSchema>
