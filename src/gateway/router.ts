import { MAX_HOST_LENGTH, hostClaimsOf } from './rules/hosts.ts'
import { failuresOf, viewOf } from './rules/match.ts'
import type { View } from './rules/match.ts'
import { createPathIndex } from './rules/path-index.ts'
import type { PathIndex } from './rules/path-index.ts'
import { isNever } from './rules/rule.ts'
import type { RoutedRequest, Rule } from './rules/rule.ts'
import { atHost, whenNamed, whenOpen, whenPattern, wildcardsOf } from './rules/tiers.ts'

export type Routable = {
  readonly rule: Rule
  /** The higher comes first among routes that name the host in the same way. */
  readonly priority: number
  /** The lower comes first among those of one priority. */
  readonly rank: number
  /** Where nobody names the host the lower comes first, before any priority: strangers must not outbid each other. 0 when left out. */
  readonly seniority?: number
}

/** How a route comes to a host: it names it, a pattern of it covers it, or it says nothing of hosts. */
export type Tier = 'named' | 'pattern' | 'open'

/** A route that a request could have taken. */
export type Candidate<T> = {
  readonly route: T
  readonly tier: Tier
  /** The matchers because of which the request does not take it; none when it does, or would if no other came before. */
  readonly failures: readonly string[]
}

export type Router<T extends Routable> = {
  /** The route of a request: who names the host before who covers it by a pattern, before who says nothing of hosts; then by priority, then by rank. */
  find (request: RoutedRequest): T | undefined
  /**
   * Every route whose hosts fit, in the order in which they are tried, for people who ask why. Looks at all routes.
   */
  candidates (request: RoutedRequest): Candidate<T>[]
}

type Item<T> = { readonly route: T, readonly order: number }
type Index<T> = PathIndex<Item<T>>

/**
 * Indexes routes so that a look-up costs the same however many there are: exact hosts and wildcards are keys of a map, paths below each a
 * trie. Only rules with a regular expression for their host that does not tell how the host ends are asked one by one, and only by requests
 * whose host nobody names.
 * Later changes to `routes` are not seen.
 */
export function createRouter<T extends Routable> (routes: readonly T[]): Router<T> {
  const byPriority = inOrder(routes, byPrecedence)
  const bySeniority = inOrder(routes, bySeniorityFirst)
  const named = new Map<string, Index<T>>()
  /** Keys are suffixes with their dot. */
  const shallow = new Map<string, Index<T>>()
  const deep = new Map<string, Index<T>>()
  const expressions = createPathIndex<Item<T>>()
  const open = createPathIndex<Item<T>>()
  for (const item of byPriority) placeByName(item)
  for (const item of bySeniority) placeOthers(item)

  function placeByName (item: Item<T>) {
    const { rule } = item.route
    for (const host of hostClaimsOf(rule).exact) addTo(named, host, whenNamed(rule, host), item)
  }

  function placeOthers (item: Item<T>) {
    const { rule } = item.route
    const claims = hostClaimsOf(rule)
    const covered = claims.patterns.length === 0 ? undefined : whenPattern(rule)
    if (covered !== undefined && !isNever(covered)) {
      const wildcards = wildcardsOf(covered)
      if (wildcards === undefined) expressions.add(covered, item)
      for (const { suffix, isDeep } of wildcards ?? []) addTo(isDeep ? deep : shallow, suffix, covered, item)
    }
    const unnamed = claims.isOpen ? whenOpen(rule) : undefined
    if (unnamed !== undefined && !isNever(unnamed)) open.add(unnamed, item)
  }

  function find (request: RoutedRequest): T | undefined {
    const own = named.get(request.host)
    if (own?.only !== undefined) return own.only.route
    const view = viewOf(request)
    let found = own?.find(view, undefined)
    if (found !== undefined) return found.route
    found = expressions.find(view, findWildcard(view))
    return (found ?? open.find(view, undefined))?.route
  }

  function findWildcard (view: View): Item<T> | undefined {
    if (shallow.size === 0 && deep.size === 0) return undefined
    const { host } = view.request
    const first = host.indexOf('.')
    if (first === -1) return undefined
    let found = shallow.get(host.slice(first))?.find(view, undefined)
    if (deep.size === 0) return found
    // No suffix in a rule is longer, so that a host of a thousand dots costs no more than one of a hundred.
    for (let dot = host.indexOf('.', host.length - MAX_HOST_LENGTH - 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      found = deep.get(host.slice(dot))?.find(view, found) ?? found
    }
    return found
  }

  function candidates (request: RoutedRequest): Candidate<T>[] {
    const view = viewOf(request)
    const atTier = (tier: Tier, conditionOf: (rule: Rule) => Rule) => (tier === 'named' ? byPriority : bySeniority).flatMap(({ route }) => {
      const condition = conditionOf(route.rule)
      return isNever(condition) ? [] : [{ route, tier, failures: failuresOf(condition, view) }]
    })
    return [
      ...atTier('named', (rule) => whenNamed(rule, request.host)),
      ...atTier('pattern', (rule) => atHost(whenPattern(rule), request.host)),
      ...atTier('open', (rule) => atHost(whenOpen(rule), request.host))
    ]
  }

  return { find, candidates }
}

function inOrder<T extends Routable> (routes: readonly T[], compare: (one: T, other: T) => number): Item<T>[] {
  return routes.toSorted(compare).map((route, order) => ({ route, order }))
}

function bySeniorityFirst (one: Routable, other: Routable): number {
  return (one.seniority ?? 0) - (other.seniority ?? 0) || byPrecedence(one, other)
}

function byPrecedence (one: Routable, other: Routable): number {
  return other.priority - one.priority || one.rank - other.rank
}

function addTo<T> (map: Map<string, Index<T>>, key: string, condition: Rule, item: Item<T>) {
  if (isNever(condition)) return
  const index = map.get(key) ?? createPathIndex<Item<T>>()
  map.set(key, index)
  index.add(condition, item)
}
