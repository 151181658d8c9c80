import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from '@sinclair/typebox'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { TicketSchema, TokenCreatedSchema, TokenInfoSchema, TokenParamsSchema, TokenRequestSchema, TokenRevokedSchema } from '../schemas/tokens.ts'
import { DockApiError } from '../src/errors.ts'
import { isStoreFull } from '../src/store/store-full.ts'

const ADMIN = { scope: 'admin' } as const

/** Who may call. The same is done by `dockapi token` on the machine itself. */
const tokens: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/tokens', {
    config: ADMIN,
    schema: {
      operationId: 'createToken',
      tags: ['Tokens'],
      summary: 'Make a token',
      description: 'Its secret is in this answer and nowhere else: only a digest is kept. On a loopback address the first token closes the API to whoever has none (`DOCKAPI_AUTH=auto`).',
      body: ref(TokenRequestSchema),
      response: {
        201: {
          description: 'The token, with its secret.',
          headers: { location: { type: 'string', description: 'Where it is described.' } },
          content: { 'application/json': { schema: ref(TokenCreatedSchema) } }
        },
        ...problems(409, 413, 415)
      }
    }
  }, async (request, reply) => {
    const created = app.tokens.create(request.body)
    return reply.code(201).header('location', `/tokens/${created.name}`).send(created)
  })

  app.get('/tokens', {
    config: ADMIN,
    schema: {
      operationId: 'listTokens',
      tags: ['Tokens'],
      summary: 'List tokens',
      description: 'Those that are not revoked, without their secrets.',
      response: { 200: { description: 'By name.', content: { 'application/json': { schema: Type.Array(ref(TokenInfoSchema)) } } }, ...problems() }
    }
  }, async () => app.tokens.list())

  app.get('/tokens/:name', {
    config: ADMIN,
    schema: {
      operationId: 'getToken',
      tags: ['Tokens'],
      summary: 'Show a token',
      params: TokenParamsSchema,
      response: { 200: ref(TokenInfoSchema), ...problems(404) }
    }
  }, async (request) => app.tokens.get(request.params.name))

  app.delete('/tokens/:name', {
    config: ADMIN,
    schema: {
      operationId: 'revokeToken',
      tags: ['Tokens'],
      summary: 'Revoke a token',
      description: 'It is refused from now on, and what is open in its name (streams, sockets, requests to containers) ends within a second. Containers that it made stay. A disk that is full is 500 `disk_full`: the token is refused all the same, and the revocation is kept as soon as there is room.',
      params: TokenParamsSchema,
      response: { 200: ref(TokenRevokedSchema), ...problems(404) }
    }
  }, async (request) => {
    const { name } = request.params
    try {
      app.tokens.revoke(name)
    } catch (error) {
      throw isStoreFull(error) ? revokedUntilRestart(name, error) : error
    }
    return { name, revoked: true as const }
  })

  app.post('/tickets', {
    // It changes nothing, and a page asks for one with every stream.
    config: { scope: 'any', change: false },
    schema: {
      operationId: 'createTicket',
      tags: ['Tokens'],
      summary: 'Get a ticket for a browser',
      description: 'A browser cannot send a header with a WebSocket, an EventSource or a download. A ticket stands for the token of who asked, for one GET within 30 seconds, and so may stand in a URL: `?ticket=…`, or offered as a WebSocket subprotocol.',
      response: { 201: { description: 'The ticket.', content: { 'application/json': { schema: ref(TicketSchema) } } }, ...problems() }
    }
  }, async (request, reply) => reply.code(201).send(app.tickets.issue(request.principal)))
}

function revokedUntilRestart (name: string, cause: unknown): DockApiError {
  return new DockApiError('disk_full', `The token "${name}" is refused from now on, but the disk of dockAPI's data folder is full: a restart before there is room would bring it back.`, { hint: 'Make room on the disk of DOCKAPI_DATA_DIR; the revocation is kept then by itself.', cause })
}

export default tokens
