import { originOf } from '../forward/upstream.ts'
import type { RouteInfo } from '../../schemas/routes.ts'
import type { Pool } from './pool.ts'
import type { Member, Route } from './route.ts'
import { urlsOf } from './route-urls.ts'

/** A route as the API tells it, with what its upstreams do now. */
export function describeRoute (route: Route, pool: Pool<Member>, gatewayPort: number): RouteInfo {
  const { id, name, ruleText, priority, hosts, service, provider, middlewares, isOverridden, problems } = route
  return {
    id,
    name,
    rule: ruleText,
    priority,
    hosts: [...hosts],
    urls: urlsOf(route, gatewayPort),
    service: service.key,
    provider,
    upstreams: service.members.map((member) => describeMember(member, route, pool)),
    traffic: pool.trafficOf(service.key),
    middlewares: middlewares.map(({ reference }) => reference),
    overridden: isOverridden,
    problems: [...problems]
  }
}

function describeMember (member: Member, { service, provider }: Route, pool: Pool<Member>): RouteInfo['upstreams'][number] {
  const { key, container, port, address, weight } = member
  const isServer = provider === 'api' && address !== undefined && 'upstream' in address && address.upstream.containerId === container.name
  return {
    container_id: isServer ? null : container.id,
    container_name: container.name,
    port,
    address: address !== undefined && 'upstream' in address ? originOf(address.upstream) : null,
    reason: address === undefined ? 'Not known yet.' : 'upstream' in address ? address.upstream.reason : address.problem,
    ...pool.stateOf(service, member),
    weight,
    traffic: pool.trafficOfMember(key)
  }
}
