import type { RouteOverride } from '../../schemas/routes.ts'
import { overrideClaim } from './claim.ts'
import type { Claim } from './claim.ts'
import { claimsOf } from './container-claims.ts'
import { createHostBook } from './host-book.ts'
import type { HostBook } from './host-book.ts'
import { ownerOf } from './owner.ts'
import { createReferences } from './references.ts'
import type { MiddlewareSources, References } from './references.ts'
import type { LiveRoute, Member, Route, Service } from './route.ts'
import type { RoutedContainer } from './routed-container.ts'
import { createRouter } from './router.ts'
import type { Router } from './router.ts'
import type { RoutedRequest } from './rules/rule.ts'

/** All routes at one moment. */
export type Table = {
  readonly routes: readonly Route[]
  readonly router: Router<LiveRoute>
  /** The route of a request. What no route of a host's owner answers is nobody's: it does not fall to a stranger's catch-all. */
  find (asked: RoutedRequest): LiveRoute | undefined
  readonly services: ReadonlyMap<string, Service>
  /** The route that a container's URL is made of. */
  readonly byContainer: ReadonlyMap<string, Route>
}

export type TableOptions = {
  domain: string
  /** Hosts that no container may have. */
  reservedHosts?: readonly string[]
  /** Hosts whose paths several owners may share. */
  sharedHosts?: readonly string[]
  /** What the API defines. */
  staticClaims?: (containers: readonly RoutedContainer[]) => readonly Claim[]
  /** What the API says of a route instead of its labels, by the route's id. */
  overrides?: ReadonlyMap<string, RouteOverride>
  middlewares?: MiddlewareSources
}

export const EMPTY_TABLE: Table = { routes: [], router: createRouter([]), find: () => undefined, services: new Map(), byContainer: new Map() }

/** More than there are owners. */
const YIELDING = 1_000_000
const NO_SOURCES: MiddlewareSources = { api: new Map(), file: new Map() }

/** Claims of one key, the oldest first. */
type Draft = { id: string, claim: Claim, claims: Claim[], override: RouteOverride | undefined }

/**
 * The routes of these containers. What the API says comes first; after it a host belongs to the oldest container that claims it, whatever
 * the order in which they are given: a later stranger goes without, and its route says so.
 */
export function buildTable (given: Iterable<RoutedContainer>, options: TableOptions): Table {
  const containers = oldestFirst(given)
  const claims = [...options.staticClaims?.(containers) ?? [], ...containers.flatMap((container) => claimsOf(container, options.domain))]
  const drafts = gather(claims, options.overrides ?? new Map())
  const ranks = rankOwners(drafts.toSorted(operatorsFirst))
  const services = poolServices(drafts)
  const book = createHostBook({ reserved: options.reservedHosts ?? [], shared: options.sharedHosts ?? [] })
  const references = createReferences(containers, ownerOf, options.middlewares ?? NO_SOURCES)
  const routes = drafts.toSorted(operatorsFirst).map((draft) => routeOf(draft, { services, book, ranks, references }))
  const router = createRouter(routes.filter((route): route is LiveRoute => route.rule !== undefined))

  function find (asked: RoutedRequest): LiveRoute | undefined {
    const route = router.find(asked)
    return route === undefined || book.isOpenTo(asked.host, route.owner) ? route : undefined
  }

  return {
    routes,
    router,
    find,
    services,
    byContainer: mainRoutes(routes)
  }
}

function operatorsFirst (one: Draft, other: Draft): number {
  return Number(isOperators(other)) - Number(isOperators(one))
}

/** Whoever runs dockAPI decides before any label does. */
function isOperators ({ claim, override }: Draft): boolean {
  return claim.provider === 'api' || override?.rule !== undefined
}

function gather (claims: readonly Claim[], overrides: ReadonlyMap<string, RouteOverride>): Draft[] {
  const drafts = new Map<string, Draft>()
  const ids = new Set<string>()
  for (const claim of claims) {
    const draft = drafts.get(claim.key)
    if (draft !== undefined) {
      draft.claims.push(claim)
      continue
    }
    const id = freeId(claim, ids)
    const override = overrides.get(id)
    ids.add(id)
    drafts.set(claim.key, { id, claim: override === undefined ? claim : overrideClaim(claim, override), claims: [claim], override })
  }
  return [...drafts.values()]
}

/** The oldest route of a name is called by it alone; a stranger of the same name by its owner too. */
function freeId ({ name, provider, owner }: Claim, ids: ReadonlySet<string>): string {
  const id = `${name}@${provider}`
  return ids.has(id) ? `${name}.${owner.slice(owner.indexOf('/') + 1).slice(0, 12)}@${provider}` : id
}

/** Older owners come first. */
function rankOwners (drafts: readonly Draft[]): Map<string, number> {
  const ranks = new Map<string, number>()
  for (const { claim: { owner } } of drafts) if (!ranks.has(owner)) ranks.set(owner, ranks.size)
  return ranks
}

/** Routes of one owner may lead to the same service: it is one pool. */
function poolServices (drafts: readonly Draft[]): Map<string, Service> {
  const pools = new Map<string, { service: Claim['service'], members: Map<string, Member> }>()
  for (const { claim, claims } of drafts) {
    const pool = pools.get(claim.service.key) ?? { service: claim.service, members: new Map<string, Member>() }
    pools.set(claim.service.key, pool)
    for (const member of claims.flatMap(({ members }) => members)) pool.members.set(member.key, member)
  }
  return new Map([...pools].map(([key, { service, members }]) => [key, { ...service, members: [...members.values()] }]))
}

type Context = {
  services: ReadonlyMap<string, Service>
  book: HostBook
  ranks: ReadonlyMap<string, number>
  references: References
}

function routeOf (draft: Draft, { services, book, ranks, references }: Context): Route {
  const { id, claim, claims, override } = draft
  const { name, provider, owner, wanted, isTls } = claim
  const service = services.get(claim.service.key)!
  const entry = book.enter({ name, owner, wanted, isOperators: isOperators(draft) })
  const middlewares = references.resolve(claim.middlewares, claim)
  const isOff = override?.enabled === false
  const ruleText = entry.text
  const priority = claim.priority ?? ruleText.length
  return {
    id,
    name,
    provider,
    owner,
    ruleText,
    rule: isOff ? undefined : entry.rule,
    priority,
    rank: ranks.get(owner)! * 2 + (isTls ? 0 : 1),
    // A catch-all of low priority lets everyone go first.
    seniority: ranks.get(owner)! + (priority < ruleText.length ? YIELDING : 0),
    hosts: isOff ? [] : entry.hosts,
    service,
    middlewares: middlewares.references,
    isOverridden: override !== undefined,
    problems: [
      ...(isOff ? ['The API switched it off.'] : []),
      ...new Set([...entry.problems, ...middlewares.problems, ...claims.flatMap(({ problems }) => problems), ...differences(claim, claims), ...unreachable(service)])
    ]
  }
}

/** Replicas that say something else than the oldest: a roll-out of new labels, which counts once the old ones are gone. */
function differences ({ name, wanted }: Claim, claims: readonly Claim[]): string[] {
  const isSame = (other: Claim) => JSON.stringify(other.wanted) === JSON.stringify(claims[0]!.wanted)
  const others = claims.filter((other) => !isSame(other)).flatMap(({ members }) => members.map(({ container }) => container.name))
  return others.length === 0 ? [] : [`${others.join(', ')} declares "${name}" otherwise; the oldest container's ${'rule' in wanted ? 'rule' : 'name'} counts.`]
}

/** Which members run and cannot be reached from here, why, and what to do. */
export function unreachable ({ members }: Service): string[] {
  return members.flatMap(({ container, state, address }) => {
    if (state !== 'unreachable' || address === undefined || !('problem' in address)) return []
    return [`${container.name}: ${address.problem}${address.hint === undefined ? '' : ` ${address.hint}`}`]
  })
}

/** A container's own name before its pool's, and a route that has a host before one that has none. */
function mainRoutes (routes: readonly Route[]): Map<string, Route> {
  const main = new Map<string, Route>()
  const isBetter = (route: Route, other: Route | undefined) => other === undefined || (other.hosts.length === 0 && route.hosts.length > 0)
  for (const route of routes) {
    for (const { container: { id } } of route.service.members) {
      if ((route.service.key === `container/${id}` && route.hosts.length > 0) || isBetter(route, main.get(id))) main.set(id, route)
    }
  }
  return main
}

function oldestFirst (containers: Iterable<RoutedContainer>): RoutedContainer[] {
  return [...containers].map((container) => ({ container, createdAt: Date.parse(container.createdAt) }))
    .sort((one, other) => one.createdAt - other.createdAt || (one.container.id < other.container.id ? -1 : 1))
    .map(({ container }) => container)
}
