import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { createForwarder } from '../src/forward/forwarder.ts'
import type { Forwarder, ForwarderOptions } from '../src/forward/forwarder.ts'

declare module 'fastify' {
  interface FastifyInstance { forwarder: Forwarder }
}

/** The one way to containers; its connections, streams and tunnels end with the app. */
async function forwarder (app: FastifyInstance, options: ForwarderOptions) {
  const created = createForwarder(options)
  app.decorate('forwarder', created)
  // The server waits for its connections, which wait for their exchanges: the grace time has to start before, not after.
  app.addHook('preClose', async () => { created.close().catch((error: unknown) => { app.log.error(error) }) })
  app.addHook('onClose', async () => { await created.destroy() })
}

export default fp(forwarder, { name: 'forwarder', fastify: '5.x' })
