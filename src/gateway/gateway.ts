import type { IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Principal } from '../auth/principal.ts'
import type { Config } from '../config/schema.ts'
import type { Containers } from '../containers/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import { withinTime } from '../engine/deadline.ts'
import { DockApiError } from '../errors.ts'
import type { Forwarder } from '../forward/forwarder.ts'
import type { SettingsTable } from '../store/settings.ts'
import type { Explanation, ExplainQuery } from '../../schemas/explain.ts'
import type { Problem } from '../../schemas/problem.ts'
import type { RouteInfo, StoredMiddleware } from '../../schemas/routes.ts'
import type { AccessLog } from './access-log.ts'
import type { Asked } from './asked.ts'
import { createDispatch } from './dispatch.ts'
import type { Chain } from './dispatch.ts'
import { explainUrl } from './explain.ts'
import { isExposed } from './exposure.ts'
import { createLiveTable } from './live-table.ts'
import { createAuthResolver } from './middleware-context.ts'
import { watchMiddlewareFile } from './middleware-file.ts'
import { measureTable } from './measure.ts'
import type { GatewayMeasure } from './measure.ts'
import { createMiddlewareRegistry } from './middlewares/registry.ts'
import { createPool } from './pool.ts'
import { createProvider } from './provider.ts'
import { createReadiness } from './readiness.ts'
import { describeRoute } from './route-info.ts'
import { originAt, urlsOf } from './route-urls.ts'
import type { LiveRoute, Member } from './route.ts'
import type { RoutedContainer } from './routed-container.ts'
import { createGatewayServer } from './server.ts'
import { createGatewaySettings } from './settings.ts'
import type { GatewaySettings } from './settings.ts'
import { staticClaims } from './static-claims.ts'
import { EMPTY_TABLE, buildTable } from './table.ts'
import type { Table } from './table.ts'

export type GatewayConfig = Pick<Config, 'gatewayHost' | 'gatewayPort' | 'isGatewayPortGiven' | 'domain' | 'expose' | 'allowedHosts' | 'sharedHosts' | 'middlewaresFile' | 'clientTimeout'>

/** The second plane: every container at a host name of its own. */
export type Gateway = {
  /** `http://<name>.<domain>:<port>` for people; undefined while it does not listen. */
  readonly address: string | undefined
  /** The port that it listens on; undefined while it does not. */
  readonly port: number | undefined
  /** Why it does not listen; undefined while it does. */
  readonly offReason: string | undefined
  /** The engine's events arrive and nothing may have been missed. */
  readonly isCurrent: boolean
  /** Every container has been looked at, or there is no gateway to wait for. */
  readonly isReady: boolean
  /** What the API says of routes and middlewares. */
  readonly settings: GatewaySettings
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
  /** In numbers, for monitors. */
  measure (): GatewayMeasure
  /** Those of the API and of the file. */
  middlewares (): StoredMiddleware[]
  /** @throws DockApiError `invalid_request` when it is no URL. */
  explain (query: ExplainQuery, signal?: AbortSignal): Promise<Explanation>
  /**
   * Does what ends a container, gently: no new request goes to it, those that run get a while to finish, then upgraded connections are closed, then
   * comes `end`. When that fails the container is back in rotation.
   * @param graceMs The longest wait, in milliseconds; never more than 5 s, for streams may have no end.
   */
  drain<T> (containerId: string, end: () => Promise<T>, graceMs?: number): Promise<T>
  /** Takes no new connection, and resolves when what runs is answered; the forwarder cuts what lasts too long. Idempotent. */
  close (): Promise<void>
  /** Cuts every connection. */
  destroy (): void
}

export type GatewayParts = {
  config: GatewayConfig
  containers: Containers
  forwarder: Forwarder
  settingsTable: SettingsTable
  /** What sticky cookies are made with. */
  secret: Buffer
  /** Ports that the API listens on. */
  apiPorts (): readonly number[]
  /** Whether an `Authorization` header is dockAPI's own, which no container may see. */
  isOwnToken (authorization: string | undefined): boolean
  /** Whose token it carries. @throws DockApiError `too_many_attempts`. */
  principalOf (authorization: string | undefined, address: string): Principal | undefined
  statusOf (error: DockApiError): number
  describe (error: DockApiError, request: IncomingMessage): Problem
  onClientError (error: Error, socket: Socket): void
  onRefusal (error: DockApiError, problem: Problem): void
  /** Notes every request; undefined when nobody wants to know. */
  accessLog: AccessLog | undefined
  /** Told of what is wrong with the middlewares file. */
  onFileProblem (problem: string): void
  /** Told when a container can take requests, and when the last one that it had is answered and its drain is over. */
  onContainer (what: 'ready' | 'drained', container: RoutedContainer): void
}

/** How long an answer of the API waits for the table to know its container, in milliseconds. */
const URL_WAIT_MS = 1_000
/** How long requests may go on before their container is ended, in milliseconds. */
const DRAIN_MS = 5_000
/** How long upgraded connections get for their goodbye when their container ends, in milliseconds. */
const UPGRADE_GRACE_MS = 1_000
/** How many hosts a page about an unknown one names. */
const MAX_SUGGESTIONS = 20

export function createGateway (parts: GatewayParts): Gateway {
  const { config, containers, isOwnToken, describe, onClientError, onRefusal, accessLog } = parts
  const forwarder = accessLog?.watching(parts.forwarder) ?? parts.forwarder
  const settings = createGatewaySettings(parts.settingsTable, { onChange: () => { live.renew() }, checkMiddleware: (definition) => { registry.check(definition) }, ownPorts: () => [...parts.apiPorts(), ...server.listening ? [portOf()] : []] })
  const file = watchMiddlewareFile(config.middlewaresFile, { onChange: () => { live.renew() }, onProblem: parts.onFileProblem })
  const pool = createPool<Member>({ secret: parts.secret })
  const live = createLiveTable({ build, onTable })
  const provider = createProvider(containers, { expose: config.expose, onChange: live.learn })
  const registry = createMiddlewareRegistry({ resolveAuth: createAuthResolver(containers, declarersOf), resolveService, principalOf: parts.principalOf, statusOf: parts.statusOf })
  const dispatch = createDispatch({ find, chainOf: ({ id }) => chains.get(id)!, presentOf: live.presentOf, provider, pool, registry, forwarder, isOwnToken })
  const server = createGatewayServer({ serve: dispatch, describe, onClientError, onRefusal, onRequest: accessLog?.begin, clientTimeoutMs: config.clientTimeout * 1000 })
  const followReadiness = createReadiness((container) => { parts.onContainer('ready', container) })
  const reserved = new Set(config.allowedHosts.map((host) => host.toLowerCase()))
  let chains: ReadonlyMap<string, Chain> = new Map()
  let closed: Promise<void> | undefined
  let offReason: string | undefined = config.gatewayPort === 'off' ? 'DOCKAPI_GATEWAY_PORT is off.' : 'It has not been started.'

  function build (known: readonly RoutedContainer[]): Table {
    return buildTable(known, {
      domain: config.domain,
      reservedHosts: config.allowedHosts,
      sharedHosts: config.sharedHosts,
      staticClaims: (sorted) => staticClaims(settings.routes, sorted),
      overrides: settings.overrides,
      middlewares: { api: settings.middlewares, file: file.middlewares }
    })
  }

  /** What pools and middlewares know of upstreams and callers outlives every table. */
  function onTable ({ routes, services }: Table, known: readonly RoutedContainer[]) {
    chains = new Map(routes.map((route) => [route.id, chainFor(route)]))
    registry.sweep()
    pool.follow(services.values())
    followReadiness(known)
  }

  function chainFor ({ middlewares }: Table['routes'][number]): Chain {
    const missing = middlewares.find(({ definition }) => definition === undefined)
    return missing === undefined ? middlewares.map(({ key, definition }) => registry.get(key, definition!)) : { missing: missing.reference }
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
    live.renew()
    provider.start()
  }

  async function listenOn (port: number) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen({ host: config.gatewayHost, port }, resolve)
    await promise
    server.off('error', reject)
  }

  function find (asked: Asked): LiveRoute {
    const route = reserved.has(asked.host) ? undefined : live.find(asked)
    if (route !== undefined) return route
    if (!provider.isLoaded) throw new DockApiError('engine_unavailable', 'The engine has not told yet which containers there are.', { retryAfterSeconds: 1 })
    const { routes } = live.present()
    const hosts = [...new Set(routes.flatMap((route) => urlsOf(route, portOf()).slice(0, 1)))]
    const isHostKnown = routes.some(({ hosts }) => hosts.includes(asked.host))
    throw new DockApiError('host_not_found', isHostKnown ? `No route of "${asked.host}" is for ${asked.method} ${asked.path}.` : `No container answers at "${asked.host}".`, { details: { hosts: hosts.slice(0, MAX_SUGGESTIONS) } })
  }

  function declarersOf (reference: string): string[] {
    return live.present().routes.filter(({ middlewares }) => middlewares.some(({ key }) => key === reference)).flatMap(({ service }) => service.members.map(({ container }) => container.id))
  }

  /** The pages of an `errors` middleware: a service by its name, or the container of that name. */
  async function resolveService (name: string) {
    const plain = name.replace(/@[^@]*$/, '')
    const service = [...live.present().services.values()].find((each) => each.name === plain)
    if (service === undefined) return undefined
    const lease = pool.take(service, {})
    lease.end()
    return lease.upstream
  }

  function portOf (): number {
    return (server.address() as AddressInfo).port
  }

  function urlOf (containerId: string): string | null {
    const route = server.listening ? live.present().byContainer.get(containerId) : undefined
    return route === undefined ? null : urlsOf(route, portOf())[0] ?? null
  }

  async function urlFor (document: ContainerDocument, signal?: AbortSignal) {
    if (!server.listening || !isExposed(document.Config.Labels ?? {}, config.expose)) return null
    const { Id: id, Name, State: { StartedAt, Running } } = document
    const seen = provider.get(id)
    const isKnown = provider.isLoaded && seen !== undefined && `/${seen.name}` === Name && (!Running || (seen.run === StartedAt && seen.status !== 'exited'))
    if (!isKnown) await withinTime(Promise.all([provider.loaded, provider.refresh(id)]), URL_WAIT_MS, signal)
    return urlOf(id)
  }

  function describeOne (route: Table['routes'][number]): RouteInfo {
    const chain = chains.get(route.id)
    const info = describeRoute(route, pool, portOf())
    return { ...info, problems: [...info.problems, ...chain === undefined || 'missing' in chain ? [] : chain.flatMap(({ problem }) => problem ?? [])] }
  }

  async function drain<T> (containerId: string, end: () => Promise<T>, graceMs = DRAIN_MS): Promise<T> {
    provider.setDraining(containerId, true)
    try {
      await withinTime(pool.whenIdle(containerId), Math.min(graceMs, DRAIN_MS))
      await pool.endUpgrades(containerId, Math.min(graceMs, UPGRADE_GRACE_MS))
      const container = provider.get(containerId)
      if (container !== undefined) parts.onContainer('drained', container)
      return await end()
    } catch (error) {
      provider.setDraining(containerId, false)
      throw error
    }
  }

  function close (): Promise<void> {
    closed ??= end()
    return closed
  }

  async function end () {
    const ended = stopListening()
    provider.close()
    live.close()
    pool.close()
    file.close()
    await Promise.all([registry.close(), ended])
  }

  /** Resolves when the last connection is closed. */
  function stopListening (): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (server.listening) server.close(() => { resolve() }).closeIdleConnections()
    else resolve()
    return promise
  }

  return {
    get address () { return server.listening ? originAt(`<name>.${config.domain}`, portOf()) : undefined },
    get port () { return server.listening ? portOf() : undefined },
    get offReason () { return offReason },
    get isCurrent () { return provider.isCurrent },
    get isReady () { return offReason !== undefined || provider.isLoaded },
    settings,
    listen,
    urlOf,
    urlFor,
    measure: () => ({ isCurrent: provider.isCurrent, ...measureTable(server.listening ? live.present() : EMPTY_TABLE, pool) }),
    routes: () => server.listening ? live.present().routes.map(describeOne) : [],
    middlewares: () => [
      ...[...settings.middlewares].map(([name, definition]) => ({ name, provider: 'api' as const, definition })),
      ...[...file.middlewares].map(([name, definition]) => ({ name, provider: 'file' as const, definition }))
    ],
    explain: (query, signal) => explainUrl(query, { table: live.present(), reserved, containers, expose: config.expose, domain: config.domain, describe: describeOne, pool }, signal),
    drain,
    close,
    destroy: () => { server.closeAllConnections() }
  }
}
