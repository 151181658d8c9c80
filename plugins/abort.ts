import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborted when the client leaves before the answer is complete. */
    gone: AbortSignal
  }
}

const RESPONSE = Symbol('response')
const SIGNAL = Symbol('signal')

type Tracked = { [RESPONSE]?: ServerResponse, [SIGNAL]?: AbortSignal }

/** Gives each request a signal, made when it is first asked for. */
async function abort (app: FastifyInstance) {
  app.decorateRequest('gone', {
    getter (this: FastifyRequest) {
      const tracked = this as Tracked
      tracked[SIGNAL] ??= signalOf(tracked[RESPONSE]!)
      return tracked[SIGNAL]
    }
  })
  app.addHook('onRequest', (request, reply, done) => {
    (request as Tracked)[RESPONSE] = reply.raw
    done()
  })
}

function signalOf (response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const leave = () => { if (!response.writableFinished) controller.abort() }
  if (response.destroyed) leave()
  else response.once('close', leave)
  return controller.signal
}

export default fp(abort, { name: 'abort', fastify: '5.x' })
