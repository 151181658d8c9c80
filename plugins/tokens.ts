import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { refuseWithoutToken } from '../src/auth/requirement.ts'
import { createTickets } from '../src/auth/tickets.ts'
import type { Tickets } from '../src/auth/tickets.ts'
import { createTokens } from '../src/auth/tokens.ts'
import type { Tokens } from '../src/auth/tokens.ts'
import type { Config } from '../src/config/schema.ts'
import { createTokenRows } from '../src/store/tokens.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tokens: Tokens
    tickets: Tickets
  }
}

/** Who is known. Where others could reach an API without a token, nothing is built that could listen. */
async function tokens (app: FastifyInstance, options: { config: Config }) {
  const created = createTokens(createTokenRows(app.store))
  refuseWithoutToken(options.config, created.exist)
  app.decorate('tokens', created)
  app.decorate('tickets', createTickets())
  created.start()
  app.addHook('onClose', async () => { created.close() })
}

export default fp(tokens, { name: 'tokens', fastify: '5.x', dependencies: ['store'] })
