import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, ref } from './model.ts'

export const FieldErrorSchema = model('FieldError', {
  where: Type.String({ description: 'Which part of the request: `body`, `query`, `path` or `header`.' }),
  pointer: Type.String({ description: 'JSON pointer (RFC 6901) to the field.' }),
  message: Type.String()
}, { description: 'A refused field.' })

/** RFC 9457, with the members that DESIGN section 8 adds. `additionalProperties` carry what the code documents, such as `last_probe`. */
export const ProblemSchema = model('Problem', {
  type: Type.String({ description: 'Where the code is explained.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: 'A plain sentence about this very failure.' }),
  error: Type.String({ description: 'The same sentence, for older clients.' }),
  instance: Type.String({ description: 'The path of the request.' }),
  code: Type.String({ description: 'Stable name of the failure.' }),
  hint: Type.Optional(Type.String({ description: 'What to do next.' })),
  retryable: Type.Boolean({ description: 'Whether the same request may succeed later.' }),
  request_id: Type.String({ description: 'Finds this request in the server\'s log.' }),
  errors: Type.Optional(Type.Array(ref(FieldErrorSchema), { description: 'Each refused field.' }))
}, {
  additionalProperties: true,
  description: 'RFC 9457 problem details.',
  examples: [{
    type: '/docs/errors#container_not_found',
    title: 'Container not found',
    status: 404,
    detail: 'There is no container "my-nginx".',
    error: 'There is no container "my-nginx".',
    instance: '/containers/my-nginx',
    code: 'container_not_found',
    hint: 'GET /containers lists the containers that this API manages.',
    retryable: false,
    request_id: 'req-1'
  }]
})
export type Problem = Static<typeof ProblemSchema>

export const DESCRIPTIONS = {
  400: 'The request is wrong: `errors` names the fields.',
  401: 'A token is needed.',
  403: 'Refused: host, origin, rights of the token, or policy.',
  404: 'There is no such thing, or none that the token may see.',
  406: 'The Accept header wants no form that there is.',
  408: 'The body stopped arriving.',
  409: 'In conflict with the state of things.',
  410: 'The container is gone: `tombstone` says how it ended.',
  413: 'The body is too large.',
  415: 'The body has a type that the operation does not take; most take JSON only.',
  426: 'Only a WebSocket answers here.',
  429: 'Too many requests or open streams, or too many wrong tokens.',
  500: 'The engine or the server failed.',
  502: 'The application did not answer properly.',
  503: 'The engine cannot be reached, or the container does not run.',
  504: 'Not done in time.'
} as const
export type ProblemStatus = keyof typeof DESCRIPTIONS

/** What every operation may answer, whatever it does. */
const ALWAYS: readonly ProblemStatus[] = [400, 401, 403, 429, 500, 503, 504]

/** The failure answers of a route, for its `response` schema. */
export function problems (...statuses: ProblemStatus[]) {
  const all = [...new Set([...statuses, ...ALWAYS])].sort((a, b) => a - b)
  return Object.fromEntries(all.map((status) => [status, {
    description: DESCRIPTIONS[status],
    content: { 'application/problem+json': { schema: ref(ProblemSchema) } }
  }])) as Record<ProblemStatus, { description: string, content: { 'application/problem+json': { schema: ReturnType<typeof ref<typeof ProblemSchema>> } } }>
}
