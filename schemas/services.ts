import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, oneOf, ref } from './model.ts'

const Seconds = (description: string, value: number) => Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 3600, description: `${description}, in seconds; ${value} when left out.` }))
const Threshold = (description: string, value: number) => Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: `${description}; ${value} when left out.` }))

export const ActiveHealthSchema = model('ActiveHealth', {
  path: Type.String({ pattern: '^/', maxLength: 2048, examples: ['/healthz'] }),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Another port of the container than the service\'s.' })),
  scheme: Type.Optional(oneOf(['http', 'https'])),
  hostname: Type.Optional(Type.String({ maxLength: 253, description: 'The `Host` of the probe.' })),
  method: Type.Optional(oneOf(['GET', 'HEAD', 'OPTIONS'])),
  status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599, description: 'The status that is healthy; any 2xx and 3xx when left out.' })),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  interval: Seconds('Between probes; the first comes at once', 10),
  timeout: Seconds('A probe may take', 5),
  healthy_threshold: Threshold('Good probes in a row that bring an upstream back', 1),
  unhealthy_threshold: Threshold('Bad probes in a row that take it out', 2)
}, { description: 'Asks each upstream regularly whether it is well.' })
export type ActiveHealth = Static<typeof ActiveHealthSchema>

export const StickySchema = model('Sticky', {
  cookie: Type.Optional(Type.String({ pattern: '^[!#$%&\'*+.^_`|~0-9A-Za-z-]{1,128}$', description: 'Name of the cookie; made of the service\'s name when left out.' })),
  secure: Type.Optional(Type.Boolean()),
  http_only: Type.Optional(Type.Boolean({ description: '`true` when left out.' })),
  same_site: Type.Optional(oneOf(['none', 'lax', 'strict'])),
  max_age: Type.Optional(Type.Integer({ minimum: 0, description: 'In seconds; the browser\'s session when left out.' })),
  path: Type.Optional(Type.String({ pattern: '^/[!-:<-~]*$', maxLength: 1024, description: '`/` when left out.' }))
}, { description: 'A client stays with the upstream that it was given first, by a cookie, as long as that one takes requests.' })
export type Sticky = Static<typeof StickySchema>

export const STRATEGIES = ['round_robin', 'least_connections'] as const

/** How requests are spread over the upstreams of a service; weights are each upstream's own. */
export const ServiceSettingsSchema = model('ServiceSettings', {
  strategy: Type.Optional(oneOf(STRATEGIES, { description: '`round_robin` when left out; both heed weights.' })),
  sticky: Type.Optional(ref(StickySchema)),
  health: Type.Optional(ref(ActiveHealthSchema)),
  pass_host: Type.Optional(Type.Boolean({ description: 'The application sees the host that the client asked for (`true` when left out), else its own address.' }))
}, { description: 'How requests are spread over the upstreams of a service.' })
export type ServiceSettings = Static<typeof ServiceSettingsSchema>
