import type { Upstream } from '../forward/upstream.ts'
import type { UpstreamState } from '../../schemas/routes.ts'
import { composeName, hostsOf } from './names.ts'
import { stateOf } from './routed-container.ts'
import type { Address, RoutedContainer } from './routed-container.ts'

/** One port of one container, as the table has it. */
export type Member = {
  /** Names it in every table: `<container id>:<port>`. */
  readonly key: string
  readonly container: RoutedContainer
  readonly port: number | null
  readonly state: UpstreamState
  readonly address: Address | undefined
}

/** A member that may be sent requests. */
export type ReadyMember = Member & { readonly upstream: Upstream }

/** Hosts and the members that answer there in turn. */
export type Route = {
  /** Names it in every table. */
  readonly service: string
  readonly name: string
  readonly hosts: readonly string[]
  readonly members: readonly Member[]
  /** Those that take requests: the ones that are up, else those whose port was not seen open yet. */
  readonly ready: readonly ReadyMember[]
  readonly problems: readonly string[]
}

/** All routes at one moment. */
export type Table = {
  readonly routes: readonly Route[]
  readonly byHost: ReadonlyMap<string, Route>
  /** The route of each container's own name. */
  readonly byContainer: ReadonlyMap<string, Route>
}

export type TableOptions = {
  domain: string
  /** Hosts that no container may have. */
  reservedHosts?: readonly string[]
}

type Draft = { service: string, name: string, members: Member[] }

export const EMPTY_TABLE: Table = { routes: [], byHost: new Map(), byContainer: new Map() }

/**
 * The routes of these containers. A host belongs to the oldest container that claims it, whatever the order in which they are
 * given; a later one goes without, and its route says so.
 */
export function buildTable (containers: Iterable<RoutedContainer>, { domain, reservedHosts = [] }: TableOptions): Table {
  const drafts = new Map<string, Draft>()
  for (const container of [...containers].sort(byAge)) {
    for (const { service, name, port } of claimsOf(container)) {
      const draft = drafts.get(service) ?? { service, name, members: [] }
      drafts.set(service, draft)
      draft.members.push(memberOf(container, port))
    }
  }
  const owners = new Map<string, string | undefined>(reservedHosts.map((host) => [host.toLowerCase(), undefined]))
  const routes = [...drafts.values()].map((draft) => routeOf(draft, domain, owners))
  return {
    routes,
    byHost: new Map(routes.flatMap((route) => route.hosts.map((host) => [host, route] as const))),
    byContainer: new Map(routes.filter(({ service }) => service.startsWith(OWN)).map((route) => [route.members[0]!.container.id, route] as const).reverse())
  }
}

const OWN = 'container/'

/** What a container wants to be called: its name, the name of its compose service, and either with each of its ports when it has several. */
function claimsOf (container: RoutedContainer) {
  const { id, name, labels, mainPort, ports } = container
  const compose = composeName(labels)
  const names = [{ service: `${OWN}${id}`, name }, ...(compose === undefined ? [] : [{ service: `compose/${compose}`, name: compose }])]
  return names.flatMap(({ service, name }) => [
    { service, name, port: mainPort },
    ...(ports.length < 2 ? [] : ports.map((port) => ({ service: `${service}:${port}`, name: `${port}-${name}`, port })))
  ])
}

function memberOf (container: RoutedContainer, port: number | null): Member {
  return { key: `${container.id}:${port}`, container, port, state: stateOf(container, port), address: container.addresses.get(port) }
}

function routeOf ({ service, name, members }: Draft, domain: string, owners: Map<string, string | undefined>): Route {
  const wanted = hostsOf(name, domain)
  const hosts = wanted.filter((host) => !owners.has(host))
  const taken = wanted.filter((host) => owners.has(host)).map((host) => takenBy(host, owners.get(host)))
  for (const host of hosts) owners.set(host, name)
  const unreachable = members.flatMap(({ container, state, address }) => state === 'unreachable' && address !== undefined && 'problem' in address ? [`${container.name}: ${address.problem}`] : [])
  return { service, name, hosts, members, ready: readyOf(members), problems: [...(wanted.length === 0 ? [`The name "${name}" has nothing that a host name could be made of.`] : []), ...taken, ...unreachable] }
}

function takenBy (host: string, owner: string | undefined): string {
  return owner === undefined ? `The host ${host} is reserved for the API.` : `The host ${host} belongs to "${owner}", which is older.`
}

function readyOf (members: readonly Member[]): ReadyMember[] {
  const inState = (wanted: UpstreamState) => members.flatMap((member) => member.state === wanted && member.address !== undefined && 'upstream' in member.address ? [{ ...member, upstream: member.address.upstream }] : [])
  const up = inState('up')
  return up.length > 0 ? up : inState('opening')
}

function byAge (one: RoutedContainer, other: RoutedContainer): number {
  return Date.parse(one.createdAt) - Date.parse(other.createdAt) || (one.id < other.id ? -1 : 1)
}
