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
import { originOf } from '../forward/upstream.ts'
import { UpstreamFailure } from '../forward/upstream-failure.ts'
import { hostNameOf } from '../guard/host.ts'
import type { Problem } from '../../schemas/problem.ts'
import type { RouteInfo } from '../../schemas/routes.ts'
import { isExposed } from './exposure.ts'
import { createPool } from './pool.ts'
import type { Lease } from './pool.ts'
import { createProvider } from './provider.ts'
import { createGatewayServer } from './server.ts'
import { EMPTY_TABLE, buildTable } from './table.ts'
import type { Route, Table } from './table.ts'

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
/** How many hosts a page about an unknown one names. */
const MAX_SUGGESTIONS = 20

export function createGateway ({ config, containers, forwarder, isOwnToken, describe, onClientError, onRefusal }: GatewayParts): Gateway {
  const pool = createPool()
  const provider = createProvider(containers, { expose: config.expose, onChange: swap })
  const server = createGatewayServer({ serve, describe, onClientError, onRefusal })
  let table: Table = EMPTY_TABLE
  let offReason: string | undefined = config.gatewayPort === 'off' ? 'DOCKAPI_GATEWAY_PORT is off.' : 'It has not been started.'

  function swap (all: Parameters<typeof buildTable>[0]) {
    table = buildTable(all, { domain: config.domain, reservedHosts: config.allowedHosts })
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
    const lease = pool.take(find(host))
    endWith(request, response, lease)
    const { member: { upstream, container } } = lease
    try {
      await forwarder.forward(request, response, upstream, { rawUrl: target, prefix: '', stripAuthorization: isOwnToken(request.headers.authorization) })
    } catch (error) {
      if (!isUnreachable(error)) throw error
      provider.look(container.id)
      throw lease.member.state === 'opening' ? notOpen(container.name, error) : error
    }
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
    if (!isKnown) await withinTime(provider.refresh(id), signal)
    return urlOf(id)
  }

  function routes (): RouteInfo[] {
    return table.routes.map(({ name, hosts, service, members, problems }) => ({
      name,
      hosts: [...hosts],
      urls: hosts.map(urlOfHost),
      service,
      provider: 'docker' as const,
      upstreams: members.map(({ key, container, port, state, address }) => ({
        container_id: container.id,
        container_name: container.name,
        port,
        address: address !== undefined && 'upstream' in address ? originOf(address.upstream) : null,
        reason: address === undefined ? 'Not known yet.' : 'upstream' in address ? address.upstream.reason : address.problem,
        state,
        in_flight: pool.inFlight(key)
      })),
      problems: [...problems]
    }))
  }

  async function close () {
    provider.close()
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

/** An exchange ends with its answer, an upgraded connection with its socket. */
function endWith (request: IncomingMessage, response: ServerResponse, { end }: Lease) {
  const carrier = heldUpgrade(request)?.socket ?? response
  carrier.once('close', end)
  if (carrier.destroyed) end()
}

function isUnreachable (error: unknown): error is DockApiError {
  return error instanceof DockApiError && error.cause instanceof UpstreamFailure && error.cause.kind !== 'malformed' && error.kind === 'bad-gateway'
}

function notOpen (name: string, cause: DockApiError): DockApiError {
  return new DockApiError('upstream_not_ready', `The container "${name}" has started, but its application does not answer on its port yet.`, { retryAfterSeconds: 1, cause })
}

async function withinTime (promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const deadline = createDeadline(URL_WAIT_MS, signal)
  await deadline.race(promise).catch(() => {})
  deadline.lift()
}
