import type { UpstreamFailure } from '../forward/upstream-failure.ts'
import type { UpstreamState } from '../../schemas/routes.ts'
import type { TrafficInfo } from '../../schemas/traffic.ts'
import { choose, isTaking } from './balance/choice.ts'
import { createProbes } from './health/probes.ts'
import { createLease } from './lease.ts'
import type { Lease } from './lease.ts'
import { noneReady } from './none-ready.ts'
import { createPlaces } from './places.ts'
import type { Place, Places } from './places.ts'
import type { PoolMember, PoolService } from './pool-service.ts'
import { createRunning } from './running.ts'
import type { Running, UpgradedConnection } from './running.ts'
import { cookieValue, stickyCookie, stickyName, stickyValue } from './sticky.ts'
import { createTraffic } from './traffic.ts'
import type { TrafficTotals } from './traffic.ts'

/** What of a request matters for the choice. */
export type Ask = {
  /** Its `Cookie` header. */
  readonly cookie?: string | undefined
  /** The client of a request for a switch of protocols. */
  readonly upgrade?: UpgradedConnection | undefined
}

/** Spreads requests over the upstreams of services. What it knows of them outlives every table. */
export type Pool<M extends PoolMember = PoolMember> = Pick<Running, 'whenIdle' | 'upgradesOf' | 'endUpgrades'> & {
  /**
   * The upstream that the client's cookie names, else the one whose turn it is.
   * @throws DockApiError `upstream_not_running`, `upstream_not_ready`, `upstream_failed` when none takes requests, saying why and when to come again.
   */
  take (service: PoolService<M>, ask: Ask): Lease<M>
  /**
   * Another upstream after a failure: notes it and ends the failed lease. Undefined when there is none that the request did not try yet, or it tried
   * enough of them, and for a sticky service when only a kept connection was lost; the failed lease stays as it is then.
   */
  takeOther (service: PoolService<M>, failed: Lease<M>, failure: UpstreamFailure, ask: Ask): Lease<M> | undefined
  /** Tells of a new table: who is new and to be probed is probed at once, who is gone for long is forgotten. */
  follow (services: Iterable<PoolService<M>>): void
  /** What the engine, probes and requests tell of a member, and what its last probe found. */
  stateOf (service: PoolService<M>, member: M): { state: UpstreamState, probe: string | null }
  trafficOf (serviceKey: string): TrafficInfo
  /** For who asks for all services often: no rates, no percentiles. */
  totalsOf (serviceKey: string): TrafficTotals
  /** What was counted of a member, whichever service it served for. */
  trafficOfMember (memberKey: string): TrafficInfo
  /** Ends the probes. */
  close (): void
}

export type PoolOptions = {
  /** What sticky cookies are made with. */
  secret: Buffer
  /** A clock in milliseconds. */
  now?: () => number
  /** Called when a probe changes what is known. */
  onChange?: () => void
}

/** How many upstreams a request may meet: when several end at once the next one may be ending too, but what crashes an application must not crash all. */
const MAX_TRIES = 4
const NONE: readonly string[] = []

export function createPool<M extends PoolMember = PoolMember> ({ secret, now = () => performance.now(), onChange }: PoolOptions): Pool<M> {
  const probes = createProbes(onChange)
  const all = createPlaces<M>({ probes, now })
  const running = createRunning()

  function take (service: PoolService<M>, ask: Ask): Lease<M> {
    const places = all.bind(service)
    const time = now()
    const place = stuckTo(places, ask, time) ?? choose(places, time)
    if (place === undefined) throw noneReady(service, (member) => stateOf(service, member).state)
    return lease(places, place, ask, time, NONE)
  }

  function takeOther (service: PoolService<M>, failed: Lease<M>, failure: UpstreamFailure, ask: Ask): Lease<M> | undefined {
    if (failure.isStale && service.settings.sticky !== undefined) return undefined
    const places = all.bind(service)
    const time = now()
    const tried = [...failed.tried, failed.member.key]
    const place = tried.length < MAX_TRIES ? choose(places, time, tried) : undefined
    if (place === undefined) return undefined
    failed.failed(failure)
    failed.end()
    // A kept connection that was lost says nothing about the upstream: it may be met again, on a new one.
    return lease(places, place, ask, time, failure.isStale ? failed.tried : tried)
  }

  function lease (places: Places<M>, place: Place<M>, ask: Ask, startedAt: number, tried: readonly string[]): Lease<M> {
    return createLease({ place, traffic: places.traffic, running, upgrade: ask.upgrade, setCookie: cookieFor(places, place, ask), tried, startedAt, now })
  }

  /** The upstream that the client was given first, while it takes requests; this is nobody's turn. */
  function stuckTo (places: Places<M>, { cookie }: Ask, time: number): Place<M> | undefined {
    if (places.service.settings.sticky === undefined || cookie === undefined) return undefined
    const value = cookieValue(cookie, nameOf(places))
    const place = value === undefined ? undefined : places.list.find((candidate) => valueOf(candidate, places.service) === value)
    return place !== undefined && isTaking(place, time) ? place : undefined
  }

  function cookieFor (places: Places<M>, place: Place<M>, { cookie }: Ask): string | undefined {
    const { sticky } = places.service.settings
    if (sticky === undefined) return undefined
    const name = nameOf(places)
    const value = valueOf(place, places.service)
    return cookie !== undefined && cookieValue(cookie, name) === value ? undefined : stickyCookie(name, value, sticky)
  }

  function nameOf (places: Places<M>): string {
    const { key, settings } = places.service
    places.cookieName ??= stickyName(secret, key)
    return settings.sticky?.cookie ?? places.cookieName
  }

  function valueOf (place: Place<M>, { key }: PoolService<M>): string {
    place.cookie ??= stickyValue(secret, key, place.member.key)
    return place.cookie
  }

  function stateOf (service: PoolService<M>, member: M): { state: UpstreamState, probe: string | null } {
    const place = all.bind(service).list.find((candidate) => candidate.member.key === member.key)
    if (place === undefined) return { state: member.state, probe: null }
    const probe = place.probe?.detail ?? null
    if (place.probeKey !== undefined && place.probe?.isHealthy !== true) return { state: place.probe?.isHealthy === false ? 'failing' : 'probing', probe }
    if (place.known.ejection.until !== 0) return { state: 'ejected', probe }
    return { state: place.probeKey === undefined ? member.state : 'up', probe }
  }

  return {
    take,
    takeOther,
    follow: all.follow,
    stateOf,
    trafficOf: (key) => (all.get(key)?.traffic ?? createTraffic()).snapshot(now()),
    totalsOf: (key) => (all.get(key)?.traffic ?? createTraffic()).totals(),
    trafficOfMember: (key) => (all.known(key)?.load ?? createTraffic()).snapshot(now()),
    whenIdle: running.whenIdle,
    upgradesOf: running.upgradesOf,
    endUpgrades: running.endUpgrades,
    close: probes.close
  }
}
