import { ALWAYS, all } from './rule.ts'
import type { Rule } from './rule.ts'

/** A path without which a condition cannot be true, and what else it asks for. */
export type Place = { readonly path: string, readonly isExact: boolean, readonly rest: Rule }

/** From so many paths on a condition is not worth spreading. */
const MAX_PLACES = 64

/** Where a condition belongs in an index of paths: it is true exactly when it is at one of these places; the prefix `''` is every path. */
export function placesOf (rule: Rule): Place[] {
  const places = spread(rule)
  return places.length > MAX_PLACES || places.some(isAnywhere) ? [anywhere(rule)] : places
}

function spread (rule: Rule): Place[] {
  switch (rule.kind) {
    case 'path': return [{ path: rule.path, isExact: true, rest: ALWAYS }]
    case 'path-prefix': return [{ path: rule.prefix, isExact: false, rest: ALWAYS }]
    case 'any': return rule.rules.flatMap(placesOf)
    case 'all': return spreadAll(rule.rules)
    default: return [anywhere(rule)]
  }
}

/** By the part that narrows most; the others stay to be asked. */
function spreadAll (rules: readonly Rule[]): Place[] {
  let best: Place[] | undefined
  let chosen = -1
  for (const [index, rule] of rules.entries()) {
    const places = placesOf(rule)
    if (places.some(isAnywhere) || (best !== undefined && !isNarrower(places, best))) continue
    best = places
    chosen = index
  }
  if (best === undefined) return [anywhere(all(rules))]
  const others = rules.filter((_, index) => index !== chosen)
  return best.map(({ path, isExact, rest }) => ({ path, isExact, rest: all([rest, ...others]) }))
}

function isNarrower (one: Place[], other: Place[]): boolean {
  return one.length < other.length || (one.length === other.length && shortest(one) > shortest(other))
}

function shortest (places: Place[]): number {
  return Math.min(...places.map(({ path }) => path.length))
}

function anywhere (rule: Rule): Place {
  return { path: '', isExact: false, rest: rule }
}

function isAnywhere ({ path, isExact }: Place): boolean {
  return path === '' && !isExact
}
