import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable, oneOf, ref } from './model.ts'
import { RouteSchema } from './routes.ts'

export const ExplainQuerySchema = Type.Object({
  url: Type.String({ minLength: 1, maxLength: 4096, description: 'The URL as a client would write it; its port does not matter.', examples: ['http://my-app.localhost:8080/api'] }),
  method: Type.Optional(Type.String({ pattern: '^[A-Z]{1,20}$', default: 'GET', description: 'The method of the request.' }))
}, { additionalProperties: false })
export type ExplainQuery = Static<typeof ExplainQuerySchema>

export const OUTCOMES = ['answers', 'no_route', 'no_upstream', 'blocked', 'reserved'] as const

const Candidate = Type.Object({
  id: Type.String({ description: 'Of the route.' }),
  rule: Type.String(),
  matches: Type.Boolean(),
  reason: Type.String({ description: 'What of its rule does not fit, or why another comes first.' })
}, { additionalProperties: false })

const Skipped = Type.Object({
  container: Type.String({ description: 'Its name.' }),
  reason: Type.String({ description: 'Why it does not answer here, and what would change that.' })
}, { additionalProperties: false })

export const ExplanationSchema = model('Explanation', {
  url: Type.String(),
  method: Type.String(),
  host: Type.String({ description: 'As it is compared: lower case, without port and dot at the end.' }),
  outcome: oneOf(OUTCOMES, { description: '`answers`: a request goes to an upstream; `no_upstream`: its route has none that takes requests now; `blocked`: a middleware of the route is not defined; `reserved`: the host is the API\'s.' }),
  summary: Type.String({ description: 'The same as a sentence.' }),
  route: Type.Union([ref(RouteSchema), Type.Null()], { description: 'The route that is taken, with its upstreams and why these addresses.' }),
  candidates: Type.Array(Candidate, { description: 'Routes of this host, in the order in which they are tried.' }),
  skipped: Type.Array(Skipped, { description: 'Containers that might be meant.' }),
  suggestion: nullable(Type.String({ description: 'The host that is nearest, when none matches.' }))
}, {
  description: 'Why a URL reaches what it reaches.',
  examples: [{
    url: 'http://my-ap.localhost/', method: 'GET', host: 'my-ap.localhost', outcome: 'no_route', summary: 'No route is for the host "my-ap.localhost".', route: null, candidates: [], skipped: [], suggestion: 'my-app.localhost'
  }]
})
export type Explanation = Static<typeof ExplanationSchema>
