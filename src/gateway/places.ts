import type { Upstream } from '../forward/upstream.ts'
import { createTurns, join } from './balance/turns.ts'
import type { Turns } from './balance/turns.ts'
import type { Candidate } from './balance/strategies.ts'
import { createEjection } from './health/ejection.ts'
import type { Ejection } from './health/ejection.ts'
import { probeAddress } from './health/probe-address.ts'
import type { Probe, Probes } from './health/probes.ts'
import type { ActiveHealth } from '../../schemas/services.ts'
import type { PoolMember, PoolService } from './pool-service.ts'
import { createTraffic } from './traffic.ts'
import type { Traffic } from './traffic.ts'

/** What is known of an upstream, whichever services it belongs to. A new run of its container begins with a clean ejection. */
export type Known = { run: string, ejection: Ejection, readonly load: Traffic, usedAt: number }

/** The place of an upstream that can be dialled in one service. It is kept for as long as the upstream may take requests. */
export type Place<M extends PoolMember> = Candidate & {
  member: M
  upstream: Upstream
  weight: number
  /** Its port was seen open, or its HEALTHCHECK says so. */
  isOpen: boolean
  readonly run: string
  readonly known: Known
  readonly load: Traffic
  /** Names its probe; undefined when the service asks for none. */
  probeKey: string | undefined
  probe: Probe | undefined
  /** It served before it was to be probed. */
  isTrusted: boolean
  /** What a sticky cookie calls it, once that was asked. */
  cookie: string | undefined
}

/** The places of one service. */
export type Places<M extends PoolMember> = {
  service: PoolService<M>
  list: Place<M>[]
  readonly turns: Turns
  readonly traffic: Traffic
  usedAt: number
  /** The name of its sticky cookie when it was given none, once that was asked. */
  cookieName: string | undefined
}

type Probed<M extends PoolMember> = { place: Place<M>, health: ActiveHealth }

export type AllPlaces<M extends PoolMember> = {
  /** The places of a service as it is now. */
  bind (service: PoolService<M>): Places<M>
  get (serviceKey: string): Places<M> | undefined
  known (memberKey: string): Known | undefined
  follow (services: Iterable<PoolService<M>>): void
}

/** How long what is in no table is remembered, in milliseconds. */
const MEMORY_MS = 10 * 60_000
/** After this time without requests all rates are zero and no latency is known, in milliseconds. */
const QUIET_MS = 4 * 60_000
const SWEEP_MS = 60_000

/** Keeps the places of all services from table to table. */
export function createPlaces<M extends PoolMember> ({ probes, now }: { probes: Probes, now: () => number }): AllPlaces<M> {
  const services = new Map<string, Places<M>>()
  const upstreams = new Map<string, Known>()
  let sweptAt = now()

  function bind (service: PoolService<M>): Places<M> {
    const places = services.get(service.key)
    if (places?.service === service) return places
    return renew(places ?? { service, list: [], turns: createTurns(), traffic: createTraffic(), usedAt: 0, cookieName: undefined }, service)
  }

  function renew (places: Places<M>, service: PoolService<M>): Places<M> {
    const before = new Map(places.list.map((place) => [place.member.key, place]))
    services.set(service.key, places)
    places.service = service
    places.list = service.members.flatMap((member) => {
      const upstream = dialled(member)
      if (upstream === undefined) return []
      const place = before.get(member.key)
      return place?.run === member.container.run ? move(place, member, upstream, service) : enter(places, member, upstream)
    })
    return places
  }

  function move (place: Place<M>, member: M, upstream: Upstream, { settings: { health } }: PoolService<M>): Place<M> {
    const probeKey = health === undefined ? undefined : probeKeyOf(member, health)
    if (probeKey !== place.probeKey) {
      place.isTrusted = place.probeKey === undefined ? place.isOpen : place.probe?.isHealthy === true
      place.probeKey = probeKey
      place.probe = undefined
    }
    return Object.assign(place, { member, upstream, weight: member.weight ?? 1, isOpen: member.state === 'up' })
  }

  function enter ({ service: { settings: { health } }, turns }: Places<M>, member: M, upstream: Upstream): Place<M> {
    const known = knownOf(member)
    const weight = member.weight ?? 1
    const probeKey = health === undefined ? undefined : probeKeyOf(member, health)
    return { ...join(turns, weight), member, upstream, weight, isOpen: member.state === 'up', run: member.container.run, known, load: known.load, probeKey, probe: undefined, isTrusted: false, cookie: undefined }
  }

  function knownOf ({ key, container: { run } }: M): Known {
    let known = upstreams.get(key)
    if (known === undefined) upstreams.set(key, known = { run, ejection: createEjection(), load: createTraffic(), usedAt: now() })
    if (known.run !== run) {
      known.run = run
      known.ejection = createEjection()
    }
    return known
  }

  function follow (given: Iterable<PoolService<M>>) {
    const time = now()
    const probed: Probed<M>[] = []
    for (const service of given) {
      const places = bind(service)
      places.usedAt = time
      for (const place of places.list) {
        place.known.usedAt = time
        const { health } = service.settings
        if (health !== undefined) probed.push({ place, health })
      }
    }
    askFor(probed)
    if (time - sweptAt > SWEEP_MS) sweep(time)
  }

  function askFor (probed: Probed<M>[]) {
    probes.follow(probed.map(({ place: { probeKey, member, upstream, isTrusted }, health }) => ({ key: probeKey!, address: probeAddress(member, upstream, health), health, isTrusted })))
    for (const { place } of probed) {
      place.probe = probes.get(place.probeKey!)
      place.isTrusted = false
    }
  }

  function sweep (time: number) {
    sweptAt = time
    for (const [key, { traffic, usedAt }] of services) if (isForgotten(traffic, usedAt, time)) services.delete(key)
    for (const [key, { load, usedAt }] of upstreams) if (isForgotten(load, usedAt, time)) upstreams.delete(key)
  }

  return { bind, follow, get: (key) => services.get(key), known: (key) => upstreams.get(key) }
}

function isForgotten (traffic: Traffic, usedAt: number, time: number): boolean {
  if (traffic.isQuiet(QUIET_MS, time)) traffic.rest()
  return traffic.inFlight === 0 && time - usedAt > MEMORY_MS
}

/** Where a member is dialled; undefined while it can take no requests. */
function dialled ({ state, address }: PoolMember): Upstream | undefined {
  return (state === 'up' || state === 'opening') && address !== undefined && 'upstream' in address ? address.upstream : undefined
}

function probeKeyOf ({ key, container: { run } }: PoolMember, health: object): string {
  return `${key} ${run} ${JSON.stringify(health)}`
}
