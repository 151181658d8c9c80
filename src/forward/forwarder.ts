import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import { withoutTicket } from '../auth/url.ts'
import { DockApiError } from '../errors.ts'
import type { Changes } from './changes.ts'
import { createChangingDispatcher } from './changing.ts'
import { startExchange } from './exchange.ts'
import type { Exchange } from './exchange.ts'
import { isIdempotent } from './failures.ts'
import { heldUpgrade } from './held-upgrade.ts'
import { createHttp1Transport } from './http1-transport.ts'
import { authorityOf } from './mount.ts'
import type { Mount } from './mount.ts'
import { forwardPath } from './path.ts'
import { requestBody } from './request-body.ts'
import { publicAuthorityOf, requestHeaders } from './request-headers.ts'
import { createRoster } from './roster.ts'
import type { Transport } from './transport.ts'
import type { Tunnel } from './tunnel.ts'
import type { UpstreamFailure } from './upstream-failure.ts'
import type { Upstream } from './upstream.ts'

export type ForwardOptions = {
  /** The request target as received, prefix included. */
  rawUrl: string
  /** Where the container is mounted, such as `/proxy/web`; `''` when it has an origin of its own. */
  prefix: string
  /** The Authorization header is dockAPI's own and stays here. */
  stripAuthorization: boolean
  /** A `Content-Security-Policy` for the answer beside the application's own; all of them hold. */
  addedPolicy?: string | undefined
  /** Another upstream that serves the same; asked each time one failed and the request may be sent again (`isMovable`). Undefined ends it. */
  nextUpstream?: ((failure: UpstreamFailure) => Upstream | undefined) | undefined
  /** What is done to the request and its answer beyond the rules for all. */
  changes?: Changes | undefined
}

/** Carries requests to containers: the one way in which both planes reach them. */
export type Forwarder = {
  /**
   * Sends `request` to `upstream` and its answer to `response`. Resolves as soon as the answer begins; from then on `response` is
   * not the caller's any more.
   * @throws DockApiError before anything was written: `invalid_request`, `proxy_loop`, `upstream_failed`, `upstream_timeout`,
   * `request_timeout`, `body_too_large`, `client_gone`, `shutting_down`.
   */
  forward (request: IncomingMessage, response: ServerResponse, upstream: Upstream, options: ForwardOptions): Promise<void>
  /** Ends tunnels, lets exchanges finish, and after the grace time cuts what is left. Resolves when nothing runs any more. */
  close (): Promise<void>
  /** Cuts everything now. */
  destroy (): Promise<void>
}

export type ForwarderOptions = {
  transport?: Transport
  /** How long `close` waits for exchanges and tunnels in flight, in milliseconds. */
  graceMs?: number
}

export function createForwarder ({ transport = createHttp1Transport(), graceMs = 5_000 }: ForwarderOptions = {}): Forwarder {
  const exchanges = createRoster<Exchange>()
  const tunnels = new Set<Tunnel>()
  let isClosing = false
  let whenNoTunnel: (() => void) | undefined

  async function forward (request: IncomingMessage, response: ServerResponse, upstream: Upstream, options: ForwardOptions) {
    if (request.socket.destroyed) throw new DockApiError('client_gone', 'The client went away.')
    if (response.socket === null) await turn(request, response)
    const { rawUrl, prefix, stripAuthorization, addedPolicy, nextUpstream, changes } = options
    const method = request.method!
    const mount: Mount = { prefix, publicAuthority: publicAuthorityOf(request), upstreamAuthority: authorityOf(upstream), addedPolicy }
    const isUpgrade = heldUpgrade(request) !== undefined
    const body = requestBody(request)
    const exchange = startExchange({
      request,
      response,
      outgoing: {
        upstream,
        method,
        path: forwardPath(withoutTicket(rawUrl), prefix),
        headers: requestHeaders(request, { mount, stripAuthorization, isUpgrade }),
        body,
        isUpgrade,
        reuse: reuseOf(method, body !== undefined, isUpgrade)
      },
      mount,
      transport: changes === undefined ? transport : createChangingDispatcher(transport, changes),
      nextUpstream,
      onTunnel,
      onTunnelEnd,
      onEnd
    })
    const place = exchanges.add(exchange)
    await exchange.started

    function onEnd () {
      exchanges.remove(place)
      if (isClosing) closeAfter(response)
    }
  }

  function onTunnel (tunnel: Tunnel) {
    tunnels.add(tunnel)
    if (isClosing) tunnel.end()
  }

  function onTunnelEnd (tunnel: Tunnel) {
    tunnels.delete(tunnel)
    if (tunnels.size === 0) whenNoTunnel?.()
  }

  async function close () {
    isClosing = true
    for (const tunnel of tunnels) tunnel.end()
    const timer = setTimeout(cut, graceMs)
    await Promise.all([transport.close(), noTunnel()])
    clearTimeout(timer)
  }

  function noTunnel (): Promise<void> | undefined {
    if (tunnels.size === 0) return undefined
    const { promise, resolve } = Promise.withResolvers<void>()
    whenNoTunnel = resolve
    return promise
  }

  async function destroy () {
    cut()
    await transport.destroy()
  }

  function cut () {
    for (const exchange of exchanges.items()) exchange.cut()
    for (const tunnel of [...tunnels]) tunnel.destroy()
  }

  return { forward, close, destroy }
}

/**
 * Requests that a client sends ahead on one connection are carried one after the other, as they are answered: one connection
 * never becomes thousands.
 */
function turn (request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const leave = () => { reject(new DockApiError('client_gone', 'The client went away.')) }
  response.once('socket', () => { resolve() })
  request.once('close', leave)
  return promise
}

/**
 * A server that closes waits for its connections; a kept one would make it wait for the client's next request. While it still listens they are
 * kept: their clients would come back at once, and who waits in a listener's queue is reset when it ends.
 */
function closeAfter (response: ServerResponse) {
  const { socket } = response
  if (socket === null || (socket as Accepted).server?.listening === true) return
  if (response.writableFinished) socket.destroySoon()
  else response.once('finish', () => { socket.destroySoon() })
}

/** Node tells every accepted socket its server. */
type Accepted = Socket & { readonly server?: Server }

/** What cannot be sent twice goes on a connection that the upstream has hardly closed meanwhile. */
function reuseOf (method: string, hasBody: boolean, isUpgrade: boolean): 'any' | 'young' | 'never' {
  if (isUpgrade) return 'never'
  return isIdempotent(method) && !hasBody ? 'any' : 'young'
}
