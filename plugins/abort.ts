import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { heldUpgrade } from '../src/forward/held-upgrade.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborted when the client leaves before the answer is complete, and when its token is revoked or expires. */
    gone: AbortSignal
  }
}

/** How long a stream may take for its last word when its token is valid no more, in milliseconds. */
const LAST_WORD_MS = 300

const RESPONSE = Symbol('response')
const CONTROLLER = Symbol('controller')
const IS_REVOKED = Symbol('is revoked')

type Tracked = FastifyRequest & { [RESPONSE]?: ServerResponse, [CONTROLLER]?: AbortController, [IS_REVOKED]?: true }

/** Gives each request a signal, made when it is first asked for, and ends what runs for a token with the token. */
async function abort (app: FastifyInstance) {
  app.decorateRequest('gone', {
    getter (this: FastifyRequest) {
      const tracked = this as Tracked
      tracked[CONTROLLER] ??= createController(tracked)
      return tracked[CONTROLLER].signal
    }
  })
  app.addHook('onRequest', (request, reply, done) => {
    (request as Tracked)[RESPONSE] = reply.raw
    if (request.principal.tokenId !== undefined) endWithToken(request, reply.raw)
    done()
  })
}

function createController (request: Tracked): AbortController {
  const controller = new AbortController()
  const response = request[RESPONSE]!
  const leave = () => { if (!response.writableFinished) controller.abort() }
  if (response.destroyed || request[IS_REVOKED] === true) leave()
  else response.once('close', leave)
  return controller
}

function endWithToken (request: Tracked, response: ServerResponse) {
  // An exchange ends with its answer, an upgraded connection with its socket.
  const carrier = heldUpgrade(request.raw)?.socket ?? response
  const release = request.principal.onRevoked(() => {
    request[IS_REVOKED] = true
    request[CONTROLLER]?.abort()
    const timer = setTimeout(() => { carrier.destroy() }, LAST_WORD_MS)
    carrier.once('close', () => { clearTimeout(timer) })
  })
  carrier.once('close', release)
}

export default fp(abort, { name: 'abort', fastify: '5.x', dependencies: ['guard'] })
