import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'

/** What runs on a listener may go on for so long after the end has begun, in milliseconds; as long as the forwarder gives exchanges with containers. */
export const GRACE_MS = 5_000

/**
 * Ends a shutdown in time. The server waits for its connections; one whose client does not read its answer, or that falls idle only
 * after the shutdown has begun, would hold it for the whole keep-alive time. What is still open after the grace time is cut.
 */
async function shutdown (app: FastifyInstance, { graceMs = GRACE_MS }: { graceMs?: number }) {
  let timer: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    timer = setTimeout(() => { app.server.closeAllConnections() }, graceMs)
  })
  app.addHook('onClose', async () => { clearTimeout(timer) })
}

export default fp(shutdown, { name: 'shutdown', fastify: '5.x' })
