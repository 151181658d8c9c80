import type { StaticRoute } from '../../schemas/routes.ts'
import type { Claim } from './claim.ts'
import { memberOf } from './container-claims.ts'
import { composeName } from './names.ts'
import type { Member } from './route.ts'
import type { RoutedContainer } from './routed-container.ts'

/** The owner of every route that the API made. */
export const API_OWNER = 'api/'

/** What the API's routes claim, with the members that are there now. */
export function staticClaims (routes: readonly StaticRoute[], containers: readonly RoutedContainer[]): Claim[] {
  return routes.map((route): Claim => {
    const { name, rule, priority, middlewares = [], settings = {} } = route
    const members = membersOf(route, containers)
    return {
      key: `${API_OWNER}${name}`,
      name,
      provider: 'api',
      owner: API_OWNER,
      declarer: undefined,
      wanted: { rule },
      priority,
      isTls: false,
      middlewares,
      service: { key: `${API_OWNER}${name}`, name, settings },
      members,
      problems: members.length === 0 ? [`The gateway routes to no container or compose service "${route.service}".`] : []
    }
  })
}

function membersOf ({ upstreams = [], service, port }: StaticRoute, containers: readonly RoutedContainer[]): Member[] {
  const serving = containers.filter(({ name, labels }) => service !== undefined && (name === service || composeName(labels) === service))
  return [...upstreams.map(serverOf), ...serving.map((container) => memberOf(container, { port: port ?? container.mainPort, scheme: container.declarations.main.scheme }))]
}

/** A server by its URL. It is taken for up: probes and failures tell otherwise. */
function serverOf ({ url, weight = 1 }: NonNullable<StaticRoute['upstreams']>[number]): Member {
  const { protocol, hostname, port: portText, origin } = new URL(url)
  const scheme = protocol === 'https:' ? 'https' : 'http'
  const port = portText === '' ? (scheme === 'https' ? 443 : 80) : Number(portText)
  return {
    key: origin,
    container: { id: origin, name: origin, labels: {}, status: 'running', run: '', addresses: new Map() },
    port,
    state: 'up',
    address: { upstream: { containerId: origin, scheme, host: hostname.replace(/^\[|\]$/g, ''), port, reason: 'a route of the API names it' } },
    weight
  }
}
