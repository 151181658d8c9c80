import { UPSTREAM_STATES } from '../../schemas/routes.ts'
import type { UpstreamState } from '../../schemas/routes.ts'
import type { Pool } from './pool.ts'
import type { Member } from './route.ts'
import type { Table } from './table.ts'
import type { TrafficTotals } from './traffic.ts'

export type ServiceMeasure = { name: string, traffic: TrafficTotals }

/** The gateway in numbers. */
export type GatewayMeasure = {
  isCurrent: boolean
  routes: number
  routesWithProblems: number
  /** How many there are in each state; one that serves several services counts once. */
  upstreams: Record<UpstreamState, number>
  services: ServiceMeasure[]
}

export function measureTable ({ routes, services }: Table, pool: Pool<Member>): Omit<GatewayMeasure, 'isCurrent'> {
  const upstreams = Object.fromEntries(UPSTREAM_STATES.map((state) => [state, 0])) as Record<UpstreamState, number>
  const counted = new Set<string>()
  for (const service of services.values()) {
    for (const member of service.members) {
      if (counted.has(member.key)) continue
      counted.add(member.key)
      upstreams[pool.stateOf(service, member).state]++
    }
  }
  return { routes: routes.length, routesWithProblems: routes.filter(({ problems }) => problems.length > 0).length, upstreams, services: [...services.values()].map(({ key, name }) => ({ name, traffic: pool.totalsOf(key) })) }
}
