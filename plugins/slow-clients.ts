import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { cutStalledReaders } from '../src/forward/stalled-readers.ts'
import { watchBody } from '../src/guard/slow-body.ts'
import { answerClientError } from './errors.ts'

const TOO_SLOW = Object.assign(new Error('The request did not arrive in time.'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })

/** Cuts off clients that keep others' memory and connections busy by doing nothing. Bodies for applications are the forwarder's, which knows who waits for whom. */
async function slowClients (app: FastifyInstance, { timeoutMs }: { timeoutMs: number }) {
  const endWatch = cutStalledReaders(app.server, timeoutMs)
  app.addHook('onClose', async () => { endWatch() })
  app.addHook('onRequest', async ({ raw, routeOptions }, reply) => {
    if (routeOptions.config.proxied === true || raw.complete || !hasBody(raw.headers)) return
    const end = watchBody(raw, timeoutMs, () => { answerClientError(TOO_SLOW, raw.socket) })
    reply.raw.once('close', end)
  })
}

function hasBody (headers: { 'content-length'?: string | undefined, 'transfer-encoding'?: string | undefined }): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

export default fp(slowClients, { name: 'slow-clients', fastify: '5.x', dependencies: ['errors', 'guard'] })
