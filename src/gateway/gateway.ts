import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Config } from '../config/schema.ts'
import type { Containers } from '../containers/containers.ts'
import { createDeadline } from '../engine/deadline.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import { DockApiError } from '../errors.ts'
import type { Forwarder } from '../forward/forwarder.ts'
import { heldUpgrade } from '../forward/held-upgrade.ts'
import { publicAuthorityOf } from '../forward/request-headers.ts'
import type { UpstreamFailure } from '../forward/upstream-failure.ts'
import { originOf } from '../forward/upstream.ts'
import { hostNameOf } from '../guard/host.ts'
import type { Problem } from '../../schemas/problem.ts'
import type { RouteInfo } from '../../schemas/routes.ts'
import { isExposed } from './exposure.ts'
import { createPool } from './pool.ts'
import type { PoolService } from './pool.ts'
import { createProvider } from './provider.ts'
import { createGatewayServer } from './server.ts'
import { EMPTY_TABLE, buildTable } from './table.ts'
import type { Member, Route, Table } from './table.ts'

export type GatewayConfig = Pick<Config, 'gatewayHost' | 'gatewayPort' | 'isGatewayPortGiven' | 'domain' | 'expose' | 'allowedHosts'>

/** The second plane: every container at a host name of its own. */
export type Gateway = {
  /** `http://<name>.<domain>:<port>` for people; undefined while it does not listen. */
  readonly address: string | undefined
  /** Why it does not listen; undefined while it does. */
  readonly offReason: string | undefined
  /**
   * Listens and begins to follow the engine. A default port that is taken is no failure: the API works without.
   * @throws Node's own error when the chosen port or address cannot be had.
   */
  listen (): Promise<void>
  /** The URL of a container as the table has it; null while no host leads to it. */
  urlOf (containerId: string): string | null
  /** The same for a document at hand, once the table knows what the document tells: the URL works when it is given. */
  urlFor (document: ContainerDocument, signal?: AbortSignal): Promise<string | null>
  routes (): RouteInfo[]
  /**
   * Does what ends a container, gently: no new request goes to it, those that run get a while to finish, then comes `end`. When that
   * fails the container is back in rotation.
   * @param graceMs The longest wait, in milliseconds; never more than 5 s, for streams may have no end.
   */
  drain<T> (containerId: string, end: () => Promise<T>, graceMs?: number): Promise<T>
  /** Takes no new connections; running exchanges are the forwarder's. */
  close (): Promise<void>
  /** Cuts every connection. */
  destroy (): void
}

export type GatewayParts = {
  config: GatewayConfig
  containers: Containers
  forwarder: Forwarder
  /** Whether an `Authorization` header is dockAPI's own, which no container may see. */
  isOwnToken (authorization: string | undefined): boolean
  describe (error: DockApiError, url: string): Problem
  onClientError (error: Error, socket: Socket): void
  onRefusal (error: DockApiError, problem: Problem): void
}

/** How long an answer of the API waits for the table to know its container, in milliseconds. */
const URL_WAIT_MS = 1_000
/** How long requests may go on before their container is ended, in milliseconds. */
const DRAIN_MS = 5_000
/** How many hosts a page about an unknown one names. */
const MAX_SUGGESTIONS = 20

export function createGateway ({ config, containers, forwarder, isOwnToken, describe, onClientError, onRefusal }: GatewayParts): Gateway {
  const pool = createPool<Member>({ secret: randomBytes(32) })
  const provider = createProvider(containers, { expose: config.expose, onChange: swap })
  const server = createGatewayServer({ serve, describe, onClientError, onRefusal })
  let table: Table = EMPTY_TABLE
  let services = new Map<Route, PoolService<Member>>()
  let offReason: string | undefined = config.gatewayPort === 'off' ? 'DOCKAPI_GATEWAY_PORT is off.' : 'It has not been started.'

  function swap (all: Parameters<typeof buildTable>[0]) {
    table = buildTable(all, { domain: config.domain, reservedHosts: config.allowedHosts })
    services = new Map(table.routes.map((route) => [route, { key: route.service, name: route.name, members: route.members, settings: {} }]))
    pool.follow(services.values())
  }

  async function listen () {
    if (config.gatewayPort === 'off') return
    try {
      await listenOn(config.gatewayPort)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || config.isGatewayPortGiven) throw error
      offReason = `Port ${config.gatewayPort} is taken on ${config.gatewayHost}. Set DOCKAPI_GATEWAY_PORT to another port, or to 0 for any free one.`
      return
    }
    offReason = undefined
    provider.start()
  }

  async function listenOn (port: number) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen({ host: config.gatewayHost, port }, resolve)
    await promise
    server.off('error', reject)
  }

  async function serve (request: IncomingMessage, response: ServerResponse) {
    if (request.method === 'TRACE') throw new DockApiError('method_not_allowed', 'TRACE is not forwarded: it would echo credentials.')
    const { host, target } = locate(request)
    const upgrade = heldUpgrade(request)
    const ask = { cookie: request.headers.cookie, upgrade: upgrade?.socket }
    let lease = pool.take(serviceOf(host), ask)
    // An exchange ends with its answer, an upgraded connection with its socket.
    const carrier = upgrade?.socket ?? response
    carrier.once('close', () => { lease.end() })
    try {
      await forwarder.forward(request, response, lease.upstream, { rawUrl: target, prefix: '', stripAuthorization: isOwnToken(request.headers.authorization), nextUpstream })
      lease.answered(response.headersSent ? response.statusCode : 101)
    } catch (error) {
      lease.failed(error)
      if (carrier.destroyed) lease.end()
      throw explain(error, lease.member)
    }

    function nextUpstream (failure: UpstreamFailure) {
      const { id } = lease.member.container
      const other = pool.takeOther(serviceOf(host), lease, failure, ask)
      if (other === undefined) return undefined
      provider.look(id)
      lease = other
      return other.upstream
    }
  }

  function serviceOf (host: string): PoolService<Member> {
    return services.get(find(host))!
  }

  /** An upstream that does not answer may have changed unseen; one that was not seen open yet is no failure of the application. */
  function explain (error: unknown, { container, state }: Member): unknown {
    if (!(error instanceof DockApiError) || error.code !== 'upstream_failed') return error
    provider.look(container.id)
    if (state !== 'opening') return error
    return new DockApiError('upstream_not_ready', `The container "${container.name}" has started, but its application does not answer on its port yet.`, { retryAfterSeconds: 1, cause: error })
  }

  function find (host: string): Route {
    const route = table.byHost.get(host)
    if (route !== undefined) return route
    if (!provider.isLoaded) throw new DockApiError('engine_unavailable', 'The engine has not told yet which containers there are.', { retryAfterSeconds: 1 })
    const hosts = table.routes.flatMap((known) => known.hosts.slice(0, 1).map(urlOfHost))
    throw new DockApiError('host_not_found', `No container answers at "${host}".`, { details: { hosts: hosts.slice(0, MAX_SUGGESTIONS) } })
  }

  function urlOfHost (host: string): string {
    const { port } = server.address() as AddressInfo
    return `http://${host}${port === 80 ? '' : `:${port}`}/`
  }

  function urlOf (containerId: string): string | null {
    const host = server.listening ? table.byContainer.get(containerId)?.hosts[0] : undefined
    return host === undefined ? null : urlOfHost(host)
  }

  async function urlFor (document: ContainerDocument, signal?: AbortSignal) {
    if (!server.listening || !isExposed(document.Config.Labels ?? {}, config.expose)) return null
    const { Id: id, Name, State: { StartedAt, Running } } = document
    const known = provider.get(id)
    const isKnown = known !== undefined && `/${known.name}` === Name && (!Running || (known.run === StartedAt && known.status !== 'exited'))
    if (!isKnown) await withinTime(provider.refresh(id), URL_WAIT_MS, signal)
    return urlOf(id)
  }

  function routes (): RouteInfo[] {
    return [...services].map(([{ name, hosts, service, members, problems }, pooled]) => ({
      name,
      hosts: [...hosts],
      urls: hosts.map(urlOfHost),
      service,
      provider: 'docker' as const,
      upstreams: members.map((member) => ({ ...member, state: pool.stateOf(pooled, member).state })).map(({ key, container, port, state, address }) => ({
        container_id: container.id,
        container_name: container.name,
        port,
        address: address !== undefined && 'upstream' in address ? originOf(address.upstream) : null,
        reason: address === undefined ? 'Not known yet.' : 'upstream' in address ? address.upstream.reason : address.problem,
        state,
        in_flight: pool.trafficOfMember(key).in_flight
      })),
      problems: [...problems]
    }))
  }

  async function drain<T> (containerId: string, end: () => Promise<T>, graceMs = DRAIN_MS): Promise<T> {
    provider.setDraining(containerId, true)
    try {
      await withinTime(pool.whenIdle(containerId), Math.min(graceMs, DRAIN_MS))
      return await end()
    } catch (error) {
      provider.setDraining(containerId, false)
      throw error
    }
  }

  async function close () {
    provider.close()
    pool.close()
    if (!server.listening) return
    const { promise, resolve } = Promise.withResolvers<void>()
    server.close(() => { resolve() })
    server.closeIdleConnections()
    await promise
  }

  return {
    get address () { return server.listening ? urlOfHost(`<name>.${config.domain}`).slice(0, -1) : undefined },
    get offReason () { return offReason },
    listen,
    urlOf,
    urlFor,
    routes,
    drain,
    close,
    destroy: () => { server.closeAllConnections() }
  }
}

/**
 * Host and target of a request. One in absolute form (RFC 9112 3.2.2) must name the same host twice: whatever reads only one of them
 * must not come to another container.
 * @throws DockApiError `invalid_request`.
 */
function locate (request: IncomingMessage): { host: string, target: string } {
  const host = hostNameOf(publicAuthorityOf(request))
  if (host === undefined) throw new DockApiError('invalid_request', 'The Host header is missing or names no host.')
  const url = request.url!
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url)
  if (absolute === null) return { host, target: url }
  const [, authority, rest] = absolute
  if (hostNameOf(authority!) !== host) throw new DockApiError('invalid_request', 'The request line and the Host header name two hosts.')
  return { host, target: rest!.startsWith('/') ? rest! : `/${rest}` }
}

async function withinTime (promise: Promise<void>, timeoutMs: number, signal?: AbortSignal): Promise<void> {
  const deadline = createDeadline(timeoutMs, signal)
  await deadline.race(promise).catch(() => {})
  deadline.lift()
}
