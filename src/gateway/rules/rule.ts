import type { IncomingHttpHeaders } from 'node:http'
import type { BlockList } from 'node:net'
import type { RE2JS } from 're2js'

/** What a rule looks at. */
export type RoutedRequest = {
  method: string
  /** Lower case, without port and trailing dot; `''` when the client named none. */
  host: string
  /** As received, without the query. */
  path: string
  /** What follows the `?`; `''` when nothing does. */
  query: string
  headers: IncomingHttpHeaders
  /** The peer's IP address. */
  clientAddress: string
}

/** One condition, with its spelling in the rule. */
export type Matcher = { readonly text: string } & (
  | { readonly kind: 'host', readonly hosts: ReadonlySet<string> }
  /** `suffix` begins with a dot; before it one label, or with `isDeep` several. */
  | { readonly kind: 'host-wildcard', readonly suffix: string, readonly isDeep: boolean }
  /** `suffix`, which begins with a dot, is how every host ends that the expression takes, where that is known. */
  | { readonly kind: 'host-regexp', readonly expression: RE2JS, readonly suffix: string | undefined }
  | { readonly kind: 'path', readonly path: string }
  | { readonly kind: 'path-prefix', readonly prefix: string }
  | { readonly kind: 'path-regexp', readonly expression: RE2JS }
  | { readonly kind: 'method', readonly methods: ReadonlySet<string> }
  /** Without `value` any does. */
  | { readonly kind: 'header', readonly name: string, readonly value: string | undefined }
  | { readonly kind: 'header-regexp', readonly name: string, readonly expression: RE2JS }
  | { readonly kind: 'query', readonly name: string, readonly value: string | undefined }
  | { readonly kind: 'query-regexp', readonly name: string, readonly expression: RE2JS }
  | { readonly kind: 'client-ip', readonly addresses: BlockList }
)

/** Conditions joined by and, or; only a single one is ever negated, see `not`. */
export type Rule =
  | Matcher
  | { readonly kind: 'not', readonly matcher: Matcher }
  | { readonly kind: 'all', readonly rules: readonly Rule[] }
  | { readonly kind: 'any', readonly rules: readonly Rule[] }

/** Matches every request. */
export const ALWAYS: Rule = { kind: 'all', rules: [] }
/** Matches no request. */
export const NEVER: Rule = { kind: 'any', rules: [] }

export function isAlways (rule: Rule): boolean {
  return rule.kind === 'all' && rule.rules.length === 0
}

export function isNever (rule: Rule): boolean {
  return rule.kind === 'any' && rule.rules.length === 0
}

/** True when all are; without parts that say nothing, and `NEVER` when one can never be true. */
export function all (rules: readonly Rule[]): Rule {
  return join('all', rules)
}

/** True when one is; without parts that can never be, and `ALWAYS` when one always is. */
export function any (rules: readonly Rule[]): Rule {
  return join('any', rules)
}

/** The opposite, with every `!` moved inward to the matchers (De Morgan), so that whoever reads a rule meets none around a group. */
export function not (rule: Rule): Rule {
  if (rule.kind === 'not') return rule.matcher
  if (rule.kind === 'all') return any(rule.rules.map(not))
  if (rule.kind === 'any') return all(rule.rules.map(not))
  return { kind: 'not', matcher: rule }
}

/** The rule of a route that has these hosts and no other condition. */
export function hostRule (...hosts: string[]): Rule {
  return { kind: 'host', hosts: new Set(hosts), text: `Host(${hosts.map((host) => `\`${host}\``).join(', ')})` }
}

function join (kind: 'all' | 'any', rules: readonly Rule[]): Rule {
  const parts = rules.flatMap((rule) => rule.kind === kind ? rule.rules : [rule])
  const isDecided = parts.some((rule) => (rule.kind === 'all' || rule.kind === 'any') && rule.rules.length === 0)
  if (isDecided) return kind === 'all' ? NEVER : ALWAYS
  return parts.length === 1 ? parts[0]! : { kind, rules: parts }
}
