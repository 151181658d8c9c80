import type { Claim } from './claim.ts'
import type { RouteDeclaration, ServiceDeclaration } from './labels/declarations.ts'
import { hostsOf } from './names.ts'
import { ownerOf, replicaPoolOf } from './owner.ts'
import type { Member } from './route.ts'
import { stateOf } from './routed-container.ts'
import type { RoutedContainer } from './routed-container.ts'

/** What a container asks of the gateway: the routes that its labels declare, and hosts made of its name for those that name no rule, or when there are none. */
export function claimsOf (container: RoutedContainer, domain: string): Claim[] {
  const { routes } = container.declarations
  if (routes.length === 0) return defaultClaims(container, domain, undefined)
  return routes.flatMap((route) => route.rule === undefined ? defaultClaims(container, domain, route) : [declaredClaim(container, route, route.rule)])
}

/** Its name, the name of the pool that it is in, and either with each of its ports when it has several. */
function defaultClaims (container: RoutedContainer, domain: string, route: RouteDeclaration | undefined): Claim[] {
  const { id, name, ports, declarations } = container
  const pool = replicaPoolOf(container)
  const own = { key: `container/${id}`, name }
  const declared = serviceOf(route, container)
  const main = targetOf(declared, container)
  return [own, ...(pool === undefined ? [] : [pool])].flatMap((service) => [
    { service, name: service.name, port: main.port },
    ...(ports.length < 2 ? [] : ports.map((port) => ({ service: { ...service, key: `${service.key}:${port}` }, name: `${port}-${service.name}`, port })))
  ]).map(({ service, name, port }): Claim => {
    const hosts = hostsOf(name, domain)
    return {
      ...commonOf(container, route),
      key: service.key,
      name,
      wanted: { hosts },
      service: { ...service, settings: (declared ?? declarations.services[0])?.settings ?? {} },
      members: [memberOf(container, port === main.port ? main : { port })],
      problems: [...(hosts.length === 0 ? [`The name "${name}" has nothing that a host name could be made of.`] : []), ...problemsOf(container), ...serviceProblems(route, declared, container)]
    }
  })
}

function declaredClaim (container: RoutedContainer, route: RouteDeclaration, rule: string): Claim {
  const common = commonOf(container, route)
  const service = serviceOf(route, container)
  return {
    ...common,
    key: `${common.owner}/${route.name}`,
    name: route.name,
    wanted: { rule },
    service: { key: `${common.owner}/${route.service}`, name: route.service, settings: service?.settings ?? {} },
    members: [memberOf(container, targetOf(service, container))],
    problems: [...problemsOf(container), ...serviceProblems(route, service, container)]
  }
}

function commonOf (container: RoutedContainer, route: RouteDeclaration | undefined): Pick<Claim, 'provider' | 'owner' | 'declarer' | 'priority' | 'isTls' | 'middlewares'> {
  return { provider: 'docker', owner: ownerOf(container), declarer: container.id, priority: route?.priority, isTls: route?.isTls ?? false, middlewares: route?.middlewares ?? [] }
}

function serviceOf (route: RouteDeclaration | undefined, { declarations: { services } }: RoutedContainer): ServiceDeclaration | undefined {
  return services.find(({ name }) => name === route?.service)
}

function problemsOf ({ declarations: { problems } }: RoutedContainer): string[] {
  return problems.map(({ label, message, suggestion }) => `${label}: ${message}${suggestion === undefined ? '' : ` Did you mean ${suggestion}?`}`)
}

/** What is wrong with the service that a route names. */
function serviceProblems (route: RouteDeclaration | undefined, found: ServiceDeclaration | undefined, { name, ownNames, declarations: { services } }: RoutedContainer): string[] {
  if (route === undefined) return []
  if (found === undefined) return services.length === 0 ? [] : [`No label declares the service "${route.service}"; the container's main port answers.`]
  return found.url === undefined || isOwnUrl(found.url, ownNames) ? [] : [`The service "${route.service}" names ${found.url}, which is not an address of "${name}": a container answers only for itself. POST /routes makes routes to other servers.`]
}

function isOwnUrl (text: string, ownNames: readonly string[]): boolean {
  const url = URL.parse(text)
  return url !== null && ownNames.includes(url.hostname.replace(/^\[|\]$/g, ''))
}

type Target = { port: number | null, scheme?: 'http' | 'https' | undefined, weight?: number | undefined }

/** A URL that is the container's own says only which port and scheme are meant. */
function targetOf (service: ServiceDeclaration | undefined, { mainPort, ownNames, declarations: { main } }: RoutedContainer): Target {
  const url = service?.url === undefined || !isOwnUrl(service.url, ownNames) ? undefined : new URL(service.url)
  if (url === undefined) return { port: service?.port ?? mainPort, scheme: service?.scheme ?? main.scheme, weight: service?.weight }
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  return { port: Number(url.port || (scheme === 'https' ? 443 : 80)), scheme, weight: service?.weight }
}

export function memberOf (container: RoutedContainer, { port, scheme, weight = 1 }: Target): Member {
  const address = container.addresses.get(port)
  return {
    key: `${container.id}:${port}`,
    container,
    port,
    state: stateOf(container, port),
    address: scheme === undefined || address === undefined || 'problem' in address ? address : { upstream: { ...address.upstream, scheme } },
    weight
  }
}
