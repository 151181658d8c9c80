import type { IncomingMessage, ServerResponse } from 'node:http'
import { fitsLabels } from '../auth/grant.ts'
import type { Grant } from '../auth/grant.ts'
import { DockApiError } from '../errors.ts'
import type { Changes } from '../forward/changes.ts'
import type { Forwarder } from '../forward/forwarder.ts'
import { heldUpgrade } from '../forward/held-upgrade.ts'
import { authorityOf } from '../forward/mount.ts'
import type { UpstreamFailure } from '../forward/upstream-failure.ts'
import { readAsked } from './asked.ts'
import type { Asked } from './asked.ts'
import type { Lease } from './lease.ts'
import type { Middleware, MiddlewareRegistry } from './middlewares/registry.ts'
import type { Pool } from './pool.ts'
import type { Provider } from './provider.ts'
import type { LiveRoute, Member, Service } from './route.ts'

/** What a route does to its requests: its middlewares, or what keeps it from answering. */
export type Chain = readonly Middleware[] | { readonly missing: string }

export type DispatchParts = {
  /** @throws DockApiError `host_not_found`, `engine_unavailable`. */
  find (asked: Asked): LiveRoute
  chainOf (route: LiveRoute): Chain
  /** A service as it is now, whatever table it is from. */
  presentOf (service: Service): Service
  provider: Provider
  pool: Pool<Member>
  registry: MiddlewareRegistry
  forwarder: Forwarder
  /** Whether an `Authorization` header is dockAPI's own, which no container may see. */
  isOwnToken (authorization: string | undefined): boolean
}

export type Dispatch = (request: IncomingMessage, response: ServerResponse) => Promise<void>

const NO_CHAIN: readonly Middleware[] = []

/** Brings each request to an upstream of its route. Resolves when its answer begins; what fails before is thrown, as DockApiError. */
export function createDispatch ({ find, chainOf, presentOf, provider, pool, registry, forwarder, isOwnToken }: DispatchParts): Dispatch {
  async function dispatch (request: IncomingMessage, response: ServerResponse) {
    if (request.method === 'TRACE') throw new DockApiError('method_not_allowed', 'TRACE is not forwarded: it would echo credentials.')
    const asked = readAsked(request)
    const route = find(asked)
    const chain = route.middlewares.length === 0 ? NO_CHAIN : chainOf(route)
    if ('missing' in chain) throw new DockApiError('route_blocked', `The route "${route.name}" refers to the middleware "${chain.missing}", which is not defined.`, { retryAfterSeconds: 5 })
    const stripAuthorization = isOwnToken(request.headers.authorization)
    if (chain.length === 0) return await carry({ request, response, service: route.service, target: asked.target, stripAuthorization, changes: undefined })
    const { clientAddress, host, target } = asked
    const parts = { request, response, clientAddress, scheme: 'encrypted' in request.socket ? 'https' as const : 'http' as const, host, target, stripAuthorization, isVisibleTo: (grant: Grant) => isServiceVisible(route.service, grant) }
    await registry.through(chain, parts, (target, changes) => carry({ request, response, service: route.service, target, stripAuthorization, changes }))
  }

  async function carry ({ request, response, service, target, stripAuthorization, changes }: Carried) {
    const upgrade = heldUpgrade(request)
    const ask = { cookie: service.settings.sticky === undefined ? undefined : request.headers.cookie, upgrade: upgrade?.socket }
    let lease = provider.isCurrent ? pool.take(presentOf(service), ask) : await takeConfirmed(service, ask)
    // An exchange ends with its answer, an upgraded connection with its socket.
    const carrier = upgrade?.socket ?? response
    carrier.once('close', () => { lease.end() })
    try {
      await forwarder.forward(request, response, lease.upstream, { rawUrl: target, prefix: '', stripAuthorization, nextUpstream, changes: changesFor(() => lease, service, changes) })
      lease.answered(response.headersSent ? response.statusCode : 101)
    } catch (error) {
      lease.failed(error)
      if (carrier.destroyed) lease.end()
      throw explain(error, lease.member)
    }

    function nextUpstream (failure: UpstreamFailure) {
      const { id } = lease.member.container
      const other = pool.takeOther(presentOf(service), lease, failure, ask)
      if (other === undefined) return undefined
      provider.look(id)
      lease = other
      return other.upstream
    }
  }

  /** While events are missing, the engine is asked first: an address may belong to another container by now. */
  async function takeConfirmed (service: Service, ask: Parameters<typeof pool.take>[1]): Promise<Lease<Member>> {
    const lease = pool.take(presentOf(service), ask)
    await provider.confirm(lease.member.container.id)
    lease.end()
    return pool.take(presentOf(service), ask)
  }

  /** An upstream that does not answer may have changed unseen; one that was not seen open yet is no failure of the application. */
  function explain (error: unknown, { container, state }: Member): unknown {
    if (!(error instanceof DockApiError) || error.code !== 'upstream_failed') return error
    provider.look(container.id)
    if (state !== 'opening') return error
    return new DockApiError('upstream_not_ready', `The container "${container.name}" has started, but its application does not answer on its port yet.`, { retryAfterSeconds: 1, cause: error })
  }

  return dispatch
}

type Carried = { request: IncomingMessage, response: ServerResponse, service: Service, target: string, stripAuthorization: boolean, changes: Changes | undefined }

function isServiceVisible ({ members }: Service, grant: Grant): boolean {
  return members.every(({ container }) => fitsLabels(grant, container.labels))
}

/** A sticky service's cookie, and the upstream's own name for one that does not want to be called by the public one. @param lease The one that answers. */
function changesFor (lease: () => Lease<Member>, { settings }: Service, changes: Changes | undefined): Changes | undefined {
  const isSticky = settings.sticky !== undefined
  const isOwnHost = settings.pass_host === false
  if (!isSticky && !isOwnHost) return changes
  const isHostSet = changes?.requestEdits.some(({ name }) => name.toLowerCase() === 'host') === true
  return {
    maxRequestBytes: changes?.maxRequestBytes,
    requestEdits: [...isOwnHost && !isHostSet ? [{ name: 'Host', values: [authorityOf(lease().upstream)] }] : [], ...changes?.requestEdits ?? []],
    changeAnswer (answer) {
      const { setCookie } = lease()
      if (setCookie !== undefined) answer.headers.push('Set-Cookie', setCookie)
      return changes?.changeAnswer?.(answer)
    }
  }
}
