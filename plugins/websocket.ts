import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { heldUpgrade } from '../src/forward/held-upgrade.ts'
import { acceptSocket, checkHandshake } from '../src/sockets/handshake.ts'
import type { MessageSocket, SocketLimits } from '../src/sockets/message-socket.ts'
import { DockApiError } from '../src/errors.ts'
import { negotiateForm } from '../src/streams/form.ts'
import type { Form } from '../src/streams/form.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the client waits to switch to a WebSocket. */
    readonly isSocket: boolean
    /**
     * The form in which a stream is answered: of those offered, the one that `Accept` likes best. A WebSocket carries the documents of NDJSON.
     * @throws DockApiError `not_acceptable`; `invalid_request` or `websocket_required` when the handshake is broken.
     */
    negotiateForm<F extends Form> (offered: readonly F[]): F | 'ndjson'
    /** @throws DockApiError `websocket_required` to a plain request, and what is wrong with the handshake. */
    requireSocket (): void
  }
  interface FastifyReply {
    /** Switches to a WebSocket. Whatever can be refused has been refused before: there is no status after this. @throws DockApiError `client_gone`. */
    acceptSocket (limits: SocketLimits, protocol?: string): MessageSocket
  }
}

/**
 * dockAPI's own WebSockets. The upgrade has run through the router with every hook, and is held until a handler accepts it (docs/adr/0003);
 * a route that has no WebSocket answers it like any other request.
 */
async function websocket (app: FastifyInstance) {
  app.decorateRequest('isSocket', { getter (this: FastifyRequest) { return heldUpgrade(this.raw) !== undefined } })
  app.decorateRequest('negotiateForm', function <F extends Form> (this: FastifyRequest, offered: readonly F[]) {
    if (!this.isSocket) return negotiateForm(this.headers.accept, offered)
    checkHandshake(this.raw)
    return 'ndjson'
  })
  app.decorateRequest('requireSocket', function (this: FastifyRequest) {
    if (!this.isSocket) throw new DockApiError('websocket_required', 'This answers as a WebSocket only.')
    checkHandshake(this.raw)
  })
  app.decorateReply('acceptSocket', function (this: FastifyReply, limits, protocol) {
    const socket = acceptSocket(this.request.raw, this.raw, limits, protocol)
    this.hijack()
    return socket
  })

  // A browser's WebSocket sends no headers of its own; what it would say in this one, it says in the query.
  app.addHook('preValidation', async (request) => {
    const query = request.query as Record<string, unknown>
    if (!request.isSocket || typeof query.last_event_id !== 'string') return
    request.headers['last-event-id'] = query.last_event_id
    delete query.last_event_id
  })
}

export default fp(websocket, { name: 'websocket', fastify: '5.x' })
