import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { Moment } from './logs.ts'
import { model, nullable } from './model.ts'

const Text = (description: string) => Type.String({ description })

export const AuditEntrySchema = model('AuditEntry', {
  id: Type.Integer({ description: 'Later entries have greater ones.' }),
  time: Type.String({ format: 'date-time', description: 'When it was asked for. The entry is written when it is over.' }),
  principal: Text('The name of the token; `open` while none is needed, `nobody` for who was not let in, `DOCKAPI_TOKEN`, `command-line` (`dockapi token`), or `dockapi` for what it does by itself.'),
  token_id: nullable(Text('Tells tokens of one name apart; null for whom no token of the store stands.')),
  operation: Text('The `operationId` of this API; `expireContainer` for the end of a lifetime.'),
  container_id: nullable(Text('Full id; null when no container was found or made.')),
  container: nullable(Text('Its name, or how it was asked for.')),
  image: nullable(Text('Of the container, or what was pulled, built, tagged or removed.')),
  subject: nullable(Text('What else it was about: the name of a token, route or middleware, the id of a command, a container\'s new name.')),
  result: Text('`ok`, or the code of the error.'),
  status: nullable(Type.Integer({ description: 'HTTP status of the answer; 101 for a WebSocket, null when no request asked for it.' })),
  duration_ms: Type.Number({ minimum: 0, description: 'From the request to the end of the answer, or of the stream.' }),
  request_id: nullable(Text('As in `X-Request-Id`, problem documents and the log.')),
  peer: nullable(Text('The address that it came from.'))
}, {
  description: 'One change, done or refused. Control characters in names stand there as `\\u001b`. No command, no environment, no token is in it.',
  examples: [{
    id: 1204,
    time: '2026-01-05T10:00:00.123Z',
    principal: 'ci',
    token_id: 'Zp0mY2lq8Rw',
    operation: 'stopContainer',
    container_id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
    container: 'my-nginx',
    image: 'nginx:latest',
    subject: null,
    result: 'ok',
    status: 200,
    duration_ms: 213.4,
    request_id: 'k3VY0qT1m2aZ',
    peer: '127.0.0.1'
  }]
})
export type AuditEntry = Static<typeof AuditEntrySchema>

export const AuditQuerySchema = Type.Object({
  principal: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Only what this one did.', examples: ['ci'] })),
  operation: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'Only this operation, by its `operationId`.', examples: ['stopContainer'] })),
  container: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Only this container: name, full id, or at least 12 characters of it. It need not exist any more.' })),
  result: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: '`ok`, `failed` for everything else, or the code of an error.', examples: ['failed'] })),
  since: Type.Optional(Moment('Only what was asked for from then on.')),
  until: Type.Optional(Moment('Only what was asked for before then.')),
  limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000, description: 'Page size; the `Link` header leads to the next page.' }),
  cursor: Type.Optional(Type.Integer({ minimum: 1, description: 'Only entries before this one; taken from the `Link` header.' }))
}, { additionalProperties: false })
export type AuditQuery = Static<typeof AuditQuerySchema>
