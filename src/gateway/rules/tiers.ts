import { isHostMatch, isHostMatcher } from './hosts.ts'
import { ALWAYS, NEVER, all, any } from './rule.ts'
import type { Rule } from './rule.ts'

type Wildcard = { readonly suffix: string, readonly isDeep: boolean }

/**
 * How a rule comes to a request: by naming its host, by a pattern that covers it, or without a word about hosts. Each function gives the
 * condition under which the rule matches in this way; a matcher behind a `!` names nothing. Who names a host always comes before who does
 * not, so each condition may leave out what an earlier one has found.
 */
export function whenNamed (rule: Rule, host: string): Rule {
  if (rule.kind === 'any') return any(rule.rules.map((part) => whenNamed(part, host)))
  // All parts have to be true, and one of them has to be so by the name.
  if (rule.kind === 'all') return all([...rule.rules.map((part) => atHost(part, host)), any(rule.rules.map((part) => whenNamed(part, host)))])
  return rule.kind === 'host' && rule.hosts.has(host) ? ALWAYS : NEVER
}

/** For requests whose host no part of the rule names. */
export function whenPattern (rule: Rule): Rule {
  if (rule.kind === 'any') return any(rule.rules.map(whenPattern))
  if (rule.kind === 'all') return all([...rule.rules, any(rule.rules.map(whenPattern))])
  return rule.kind === 'host-wildcard' || rule.kind === 'host-regexp' ? rule : NEVER
}

/** For requests whose host no part of the rule names or covers. */
export function whenOpen (rule: Rule): Rule {
  if (rule.kind === 'any') return any(rule.rules.map(whenOpen))
  if (rule.kind === 'all') return all(rule.rules.map(whenOpen))
  return isHostMatcher(rule) ? NEVER : rule
}

/** The rule for one host, with every matcher of hosts decided. */
export function atHost (rule: Rule, host: string): Rule {
  if (rule.kind === 'any') return any(rule.rules.map((part) => atHost(part, host)))
  if (rule.kind === 'all') return all(rule.rules.map((part) => atHost(part, host)))
  const matcher = rule.kind === 'not' ? rule.matcher : rule
  if (!isHostMatcher(matcher)) return rule
  return isHostMatch(matcher, host) === (rule.kind !== 'not') ? ALWAYS : NEVER
}

/** Wildcards of which one covers each host for which the condition can be true; `undefined` when no such are known. */
export function wildcardsOf (condition: Rule): readonly Wildcard[] | undefined {
  if (condition.kind === 'host-wildcard') return [condition]
  if (condition.kind === 'host-regexp' && condition.suffix !== undefined) return [{ suffix: condition.suffix, isDeep: true }]
  if (condition.kind === 'any') {
    const parts = condition.rules.map(wildcardsOf)
    return parts.every((part) => part !== undefined) ? distinct(parts.flat()) : undefined
  }
  if (condition.kind !== 'all') return undefined
  return condition.rules.map(wildcardsOf).filter((part) => part !== undefined).sort((one, other) => one.length - other.length)[0]
}

function distinct (wildcards: Wildcard[]): Wildcard[] {
  return [...new Map(wildcards.map((wildcard) => [`${wildcard.isDeep}${wildcard.suffix}`, wildcard])).values()]
}
