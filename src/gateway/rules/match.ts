import { isIP } from 'node:net'
import type { BlockList } from 'node:net'
import type { IncomingHttpHeaders } from 'node:http'
import { isHostMatch } from './hosts.ts'
import { matchedPath } from './paths.ts'
import type { Matcher, RoutedRequest, Rule } from './rule.ts'

/** A request, and what several matchers want of it, worked out once and only when one asks. */
export type View = { readonly request: RoutedRequest, path: string | undefined, query: URLSearchParams | undefined }

export function viewOf (request: RoutedRequest): View {
  return { request, path: undefined, query: undefined }
}

export function isMatch (rule: Rule, request: RoutedRequest): boolean {
  return matches(rule, viewOf(request))
}

export function matches (rule: Rule, view: View): boolean {
  switch (rule.kind) {
    case 'all':
      for (const part of rule.rules) if (!matches(part, view)) return false
      return true
    case 'any':
      for (const part of rule.rules) if (matches(part, view)) return true
      return false
    case 'not': return !isTrue(rule.matcher, view)
    default: return isTrue(rule, view)
  }
}

/** The matchers because of which a rule does not match, as they are written: the first part of an "and" that fails, every part of an "or". */
export function failuresOf (rule: Rule, view: View): string[] {
  if (matches(rule, view)) return []
  if (rule.kind === 'all') return failuresOf(rule.rules.find((part) => !matches(part, view))!, view)
  if (rule.kind === 'any') return [...new Set(rule.rules.flatMap((part) => failuresOf(part, view)))]
  return [rule.kind === 'not' ? `!${rule.matcher.text}` : rule.text]
}

/** The path as rules see it. */
export function pathOf (view: View): string {
  return (view.path ??= matchedPath(view.request.path))
}

function isTrue (matcher: Matcher, view: View): boolean {
  const { request } = view
  switch (matcher.kind) {
    case 'host':
    case 'host-wildcard':
    case 'host-regexp': return isHostMatch(matcher, request.host)
    case 'path': return pathOf(view) === matcher.path
    case 'path-prefix': return pathOf(view).startsWith(matcher.prefix)
    case 'path-regexp': return matcher.expression.test(pathOf(view))
    case 'method': return matcher.methods.has(request.method)
    case 'header': return headerValues(request.headers, matcher.name).some((value) => matcher.value === undefined || value === matcher.value)
    case 'header-regexp': return headerValues(request.headers, matcher.name).some((value) => matcher.expression.test(value))
    case 'query': return matcher.value === undefined ? queryOf(view).has(matcher.name) : queryOf(view).has(matcher.name, matcher.value)
    case 'query-regexp': return queryOf(view).getAll(matcher.name).some((value) => matcher.expression.test(value))
    case 'client-ip': return isListed(matcher.addresses, request.clientAddress)
  }
}

/** Node has joined the values of a header that came several times; only some are lists. */
function headerValues (headers: IncomingHttpHeaders, name: string): readonly string[] {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

function queryOf (view: View): URLSearchParams {
  return (view.query ??= new URLSearchParams(view.request.query))
}

/** A listed IPv4 address is found also when the peer's comes mapped into IPv6 (`::ffff:10.0.0.1`, RFC 4291 2.5.5.2); a zone does not count. */
function isListed (addresses: BlockList, peer: string): boolean {
  const address = peer.replace(/%.*$/s, '')
  const family = isIP(address)
  return family !== 0 && addresses.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
