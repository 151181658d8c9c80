import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable, oneOf } from './model.ts'
import { Cpus, Memory } from './run.ts'
import { SCOPES } from './scopes.ts'

const Duration = (description: string) => Type.String({ pattern: '^[1-9]\\d{0,8}[smhd]$', description: `${description} Written as \`90s\`, \`15m\`, \`12h\` or \`30d\`.`, examples: ['30d'] })

export const TokenName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$', description: 'Letters, digits, `_`, `.` and `-`; at most 63.', examples: ['ci'] })
export const TokenParamsSchema = Type.Object({ name: TokenName })

const Scopes = Type.Array(oneOf(SCOPES), {
  minItems: 1,
  uniqueItems: true,
  description: '`read` lists and inspects, and reaches applications through `/proxy`; `logs` reads what containers write; `run` makes, changes and removes containers; `exec` runs commands and moves files in them; ' +
    '`images` pulls, builds and removes images; `routes` changes the gateway; `admin` is everything and the tokens. Each stands for itself: `run` alone does not list.'
})

const Labels = Type.Record(Type.String({ minLength: 1, maxLength: 256, pattern: '^(?!dockapi\\.)[^=\\s]+$' }), Type.String({ maxLength: 1024 }), {
  additionalProperties: false, minProperties: 1, description: 'Only containers that carry all of these labels exist for the token, and what it runs gets them.', examples: [{ team: 'blue' }]
})

const Images = Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
  minItems: 1,
  maxItems: 100,
  description: 'Only images of these patterns: `nginx` is every tag of it, `nginx:1.*` some, `ghcr.io/team/*` every repository there, `**` also crosses slashes. Docker Hub may be left out, as in commands of docker.',
  examples: [['nginx', 'ghcr.io/team/*']]
})

const Limits = Type.Object({
  containers: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'How many containers that it made may be there at once.' })),
  memory: Type.Optional(Memory),
  cpus: Type.Optional(Cpus),
  lifetime: Type.Optional(Duration('What it runs is removed after this time, data and all.'))
}, { additionalProperties: false, minProperties: 1, description: 'The most that it may have; memory and CPU are those of each container.', examples: [{ containers: 5, memory: '512m', cpus: 1, lifetime: '2h' }] })

const Commands = Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), {
  minItems: 1, maxItems: 100, description: 'Only commands that begin with these words, split as a shell splits words; without `env`, `user` and `workdir`.', examples: [['pg_dump', 'ls -l']]
})

const EXAMPLE = { name: 'ci', scopes: ['read' as const, 'logs' as const, 'run' as const], labels: { team: 'blue' }, images: ['nginx', 'ghcr.io/team/*'], limits: { containers: 5, memory: '512m', lifetime: '2h' } }

export const TokenRequestSchema = model('TokenRequest', {
  name: TokenName,
  scopes: Scopes,
  labels: Type.Optional(Labels),
  images: Type.Optional(Images),
  limits: Type.Optional(Limits),
  commands: Type.Optional(Commands),
  expires_in: Type.Optional(Duration('How long it is valid; for ever when left out.'))
}, { description: 'A token to be made. An `admin` token cannot be narrowed: it could make itself a wider one.', examples: [{ ...EXAMPLE, expires_in: '30d' }, { name: 'laptop', scopes: ['admin'] }] })
export type TokenRequest = Static<typeof TokenRequestSchema>

const INFO = {
  id: Type.String({ description: 'Tells tokens of one name apart, in the log; no secret.' }),
  name: TokenName,
  scopes: Scopes,
  labels: nullable(Labels),
  images: nullable(Images),
  limits: nullable(Limits),
  commands: nullable(Commands),
  created_at: Type.String({ format: 'date-time' }),
  expires_at: nullable(Type.String({ format: 'date-time' })),
  last_used_at: nullable(Type.String({ format: 'date-time', description: 'To the minute.' })),
  expired: Type.Boolean()
}
const INFO_EXAMPLE = { id: 'Zp0mY2lq8Rw', ...EXAMPLE, commands: null, created_at: '2026-01-05T10:00:00.000Z', expires_at: '2026-02-04T10:00:00.000Z', last_used_at: '2026-01-05T11:30:00.000Z', expired: false }

export const TokenInfoSchema = model('TokenInfo', INFO, { description: 'A token, without its secret: that is not kept.', examples: [INFO_EXAMPLE] })
export type TokenInfo = Static<typeof TokenInfoSchema>

export const TokenCreatedSchema = model('TokenCreated', { ...INFO, token: Type.String({ description: 'The secret. It is shown this once.' }) }, {
  description: 'A new token with its secret.', examples: [{ ...INFO_EXAMPLE, last_used_at: null, token: 'dockapi_Zp0mY2lq8Rw…' }]
})
export type TokenCreated = Static<typeof TokenCreatedSchema>

export const TokenRevokedSchema = model('TokenRevoked', { name: TokenName, revoked: Type.Literal(true) }, { description: 'It is valid no more.', examples: [{ name: 'ci', revoked: true }] })

export const TicketSchema = model('Ticket', {
  ticket: Type.String({ description: 'Good for one GET or WebSocket, with the rights of who asked: as `?ticket=…`, or as a WebSocket subprotocol that is offered beside the one that is spoken.' }),
  expires_at: Type.String({ format: 'date-time' })
}, { description: 'Stands for a token where a browser cannot send a header.', examples: [{ ticket: 'dockapi.ticket.Zp0mY2lq8Rw…', expires_at: '2026-01-05T10:00:30.000Z' }] })
export type Ticket = Static<typeof TicketSchema>
