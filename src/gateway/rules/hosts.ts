import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { RuleError, quoted } from './rule-error.ts'
import type { Matcher, Rule } from './rule.ts'

/** Longest name of a host, in characters (RFC 1035 2.3.4, without the dot at the end). */
export const MAX_HOST_LENGTH = 253
/** Underscores are in no DNS name of a host, but in many names of containers. */
const HOST = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/

export type HostClaims = {
  exact: string[]
  /** Wildcards and regular expressions, as they are written. */
  patterns: string[]
  /** Whether some branch of the rule names no host, and so matches requests for anybody's. */
  isOpen: boolean
}

/** One argument of `Host`: `example.com`, `*.example.com` (one label more) or `**.example.com` (one or more). */
export type HostName = { host: string } | { suffix: string, isDeep: boolean }

/** @throws RuleError for what no request can have as its host, with what was probably meant. */
export function parseHost (text: string, position: number): HostName {
  const wildcard = /^(\*\*?)\.(.+)$/.exec(text)
  const host = (wildcard?.[2] ?? text).toLowerCase().replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1')
  if ((isIP(host) === 0 && !HOST.test(host)) || host.length > MAX_HOST_LENGTH) throw noHost(text, position)
  return wildcard === null ? { host } : { suffix: `.${host}`, isDeep: wildcard[1] === '**' }
}

/** Which hosts a rule names, other than behind a `!`. */
export function hostClaimsOf (rule: Rule): HostClaims {
  const exact = new Set<string>()
  const patterns = new Set<string>()
  collect(rule)
  return { exact: [...exact], patterns: [...patterns], isOpen: isOpen(rule) }

  function collect (part: Rule) {
    if (part.kind === 'all' || part.kind === 'any') part.rules.forEach(collect)
    else if (part.kind === 'host') part.hosts.forEach((host) => exact.add(host))
    else if (part.kind === 'host-wildcard') patterns.add(`${part.isDeep ? '**' : '*'}${part.suffix}`)
    else if (part.kind === 'host-regexp') patterns.add(part.expression.pattern())
  }
}

export function isHostMatcher (part: Rule): part is Extract<Matcher, { kind: 'host' | 'host-wildcard' | 'host-regexp' }> {
  return part.kind === 'host' || part.kind === 'host-wildcard' || part.kind === 'host-regexp'
}

export function isHostMatch (matcher: Extract<Matcher, { kind: 'host' | 'host-wildcard' | 'host-regexp' }>, host: string): boolean {
  if (matcher.kind === 'host') return matcher.hosts.has(host)
  if (matcher.kind === 'host-regexp') return matcher.expression.test(host)
  const length = host.length - matcher.suffix.length
  return length > 0 && host.endsWith(matcher.suffix) && (matcher.isDeep || host.indexOf('.') === length)
}

function isOpen (rule: Rule): boolean {
  if (rule.kind === 'all') return rule.rules.every(isOpen)
  if (rule.kind === 'any') return rule.rules.some(isOpen)
  return !isHostMatcher(rule)
}

function noHost (text: string, position: number): RuleError {
  if (text === '') return new RuleError('The host is empty; perhaps a variable that should fill it is not set.', position)
  const bare = text.replace(/^[a-z]+:\/\//i, '').replace(/[/?#].*$/s, '').replace(/:\d+$/, '')
  if (bare !== text && HOST.test(bare.toLowerCase())) return new RuleError(`${quoted(text)} is more than a host; write only its name, and paths with PathPrefix.`, position, bare)
  if (/[{}^$()|]/.test(text)) return new RuleError(`${quoted(text)} is no host; regular expressions belong into HostRegexp.`, position, 'HostRegexp')
  const ascii = /[^\0-\x7f]/.test(text) ? domainToASCII(text) : ''
  if (ascii !== '') return new RuleError(`${quoted(text)} is not ASCII, as host names on the wire are; write it as ${ascii}.`, position, ascii)
  return new RuleError(`${quoted(text)} is no host name.`, position)
}
