import { BlockList, isIP } from 'node:net'
import { IGNORE_CASE, fromTemplate, isTemplate } from './expressions.ts'
import type { Compiler } from './expressions.ts'
import { parseHost } from './hosts.ts'
import { matchedPath } from './paths.ts'
import { RuleError, quoted } from './rule-error.ts'
import { all, any } from './rule.ts'
import type { Matcher, Rule } from './rule.ts'
import { suffixOf } from './suffix.ts'

export type Argument = { readonly text: string, readonly position: number }

/** A matcher as the grammar reads it; `text` is its spelling in the rule. */
export type Call = { readonly name: string, readonly position: number, readonly text: string, readonly args: readonly Argument[], readonly compiler: Compiler }

type Builder = (call: Call) => Rule

/** What a matcher may be called with, for messages, and what it makes of that. */
type Definition = { usage: string, build: Builder }

const METHOD = /^[A-Z][A-Z-]*$/
/** A field name (RFC 9110 5.1). */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/

const HOST: Definition = { usage: 'Host(`example.com`)', build: buildHost }
const HEADER: Definition = { usage: 'Header(`X-Name`, `value`)', build: buildHeader }
const HEADER_REGEXP: Definition = { usage: 'HeaderRegexp(`X-Name`, `^v[0-9]+$`)', build: buildHeaderRegexp }

/** Traefik v3's matchers, then what only v2 called so. */
const DEFINITIONS = {
  Host: HOST,
  HostRegexp: { usage: 'HostRegexp(`^.+\\.example\\.com$`)', build: buildHostRegexp },
  Path: { usage: 'Path(`/healthz`)', build: (call) => anyOf(call, buildPath) },
  PathPrefix: { usage: 'PathPrefix(`/api`)', build: (call) => anyOf(call, buildPath) },
  PathRegexp: { usage: 'PathRegexp(`^/v[0-9]+/`)', build: (call) => anyOf(call, buildPathRegexp) },
  Method: { usage: 'Method(`GET`)', build: buildMethod },
  Header: HEADER,
  HeaderRegexp: HEADER_REGEXP,
  Query: { usage: 'Query(`name`, `value`)', build: buildQuery },
  QueryRegexp: { usage: 'QueryRegexp(`name`, `^v[0-9]+$`)', build: buildQueryRegexp },
  ClientIP: { usage: 'ClientIP(`10.0.0.0/8`)', build: buildClientIp },
  HostHeader: HOST,
  Headers: HEADER,
  HeadersRegexp: HEADER_REGEXP
} satisfies Record<string, Definition>

/** What a message may suggest. */
export const MATCHER_NAMES = ['Host', 'HostRegexp', 'Path', 'PathPrefix', 'PathRegexp', 'Method', 'Header', 'HeaderRegexp', 'Query', 'QueryRegexp', 'ClientIP'] as const satisfies readonly (keyof typeof DEFINITIONS)[]

/** Traefik knows `HOST(` and `pathprefix(` too, so case does not count. */
const BY_NAME = new Map<string, Definition>(Object.entries(DEFINITIONS).map(([name, definition]) => [name.toLowerCase(), definition]))

export function isMatcherName (name: string): boolean {
  return BY_NAME.has(name.toLowerCase())
}

/** @throws RuleError at the argument that the matcher cannot have. */
export function buildMatcher (call: Call): Rule {
  const { usage, build } = BY_NAME.get(call.name.toLowerCase())!
  if (call.args.length === 0) throw new RuleError(`${call.name} needs a value, such as ${usage}.`, call.position)
  return build(call)
}

/** One matcher for each argument, of which one has to be true, as in Traefik v2. */
function anyOf (call: Call, build: (call: Call, argument: Argument) => Matcher): Rule {
  return any(call.args.map((argument) => build(call, argument)))
}

function buildHost ({ args, text }: Call): Rule {
  const names = args.map((argument) => parseHost(argument.text, argument.position))
  const hosts = new Set(names.flatMap((name) => 'host' in name ? [name.host] : []))
  const wildcards = names.flatMap((name): Rule[] => 'host' in name ? [] : [{ kind: 'host-wildcard', ...name, text }])
  return any([...(hosts.size === 0 ? [] : [{ kind: 'host', hosts, text } as const]), ...wildcards])
}

/** Several arguments, or a brace with a name, are v2's: then each is a template, and a template is the whole host. */
function buildHostRegexp ({ args, text, compiler }: Call): Rule {
  const isV2 = args.length > 1 || isTemplate(args[0]!.text)
  return any(args.map((argument) => {
    const pattern = isV2 ? `^${fromTemplate(argument.text, '[^.]+', argument.position)}$` : argument.text
    return { kind: 'host-regexp', expression: compiler.compile(pattern, argument.position, IGNORE_CASE), suffix: suffixOf(pattern), text }
  }))
}

function buildPath ({ name, text, compiler }: Call, argument: Argument): Matcher {
  const isPrefix = name.toLowerCase() === 'pathprefix'
  const path = argument.text
  if (!path.startsWith('/')) throw new RuleError(`The path ${quoted(path)} does not begin with a slash.`, argument.position, `/${path}`)
  if (isTemplate(path)) {
    const pattern = `^${fromTemplate(path, '[^/]+', argument.position)}${isPrefix ? '' : '$'}`
    return { kind: 'path-regexp', expression: compiler.compile(pattern, argument.position), text }
  }
  if (/[?#]/.test(path)) throw new RuleError(`${quoted(path)} is more than a path; conditions on the query are written with Query.`, argument.position, path.replace(/[?#].*$/s, ''))
  return isPrefix ? { kind: 'path-prefix', prefix: matchedPath(path), text } : { kind: 'path', path: matchedPath(path), text }
}

function buildPathRegexp ({ text, compiler }: Call, argument: Argument): Matcher {
  return { kind: 'path-regexp', expression: compiler.compile(argument.text, argument.position), text }
}

function buildMethod ({ args, text }: Call): Rule {
  const methods = args.map((argument) => {
    const method = argument.text.toUpperCase()
    if (!METHOD.test(method)) throw new RuleError(`${quoted(argument.text)} is no method of HTTP.`, argument.position)
    return method
  })
  return { kind: 'method', methods: new Set(methods), text }
}

function buildHeader (call: Call): Rule {
  return all(pairsOf(call).map(([name, value]) => ({ kind: 'header', name: fieldName(name), value: value.text === '' ? undefined : value.text, text: call.text })))
}

function buildHeaderRegexp (call: Call): Rule {
  return all(pairsOf(call).map(([name, value]) => ({ kind: 'header-regexp', name: fieldName(name), expression: call.compiler.compile(value.text, value.position), text: call.text })))
}

/** Name and value in turn; v2 takes several such pairs, all of which have to be there. */
function pairsOf ({ name, args, position }: Call): [Argument, Argument][] {
  const usage = BY_NAME.get(name.toLowerCase())!.usage
  if (args.length % 2 !== 0) throw new RuleError(`${name} takes a name and a value, such as ${usage}.`, args.at(-1)?.position ?? position)
  return Array.from({ length: args.length / 2 }, (_, index) => [args[index * 2]!, args[index * 2 + 1]!])
}

function fieldName ({ text, position }: Argument): string {
  const name = text.toLowerCase()
  if (!FIELD_NAME.test(name)) throw new RuleError(`${quoted(text)} is no name of a header.`, position)
  return name
}

/** `Query(`k`, `v`)` of v3, where a missing value is an empty one, or `Query(`k=v`, ...)` of v2, where an empty one is any. */
function buildQuery ({ name, args, text }: Call): Rule {
  const [key, value, extra] = args
  if (!key!.text.includes('=')) {
    if (extra !== undefined) throw new RuleError(`${name} takes a name and a value, such as Query(\`name\`, \`value\`).`, extra.position)
    return { kind: 'query', name: key!.text, value: value?.text ?? '', text }
  }
  return all(args.map(({ text: pair, position }) => {
    const [, part, wanted] = /^([^=]*)(?:=(.*))?$/s.exec(pair)!
    if (wanted === undefined) throw new RuleError(`${quoted(pair)} is no name=value, as the first value of this ${name} is.`, position)
    if (isTemplate(wanted)) throw new RuleError('Regular expressions belong into QueryRegexp.', position, 'QueryRegexp')
    return { kind: 'query', name: part!, value: wanted === '' ? undefined : wanted, text }
  }))
}

function buildQueryRegexp (call: Call): Rule {
  const [key, value, extra] = call.args
  if (value === undefined) return buildQuery(call)
  if (extra !== undefined) throw new RuleError(`${call.name} takes a name and an expression, such as QueryRegexp(\`name\`, \`^v[0-9]+$\`).`, extra.position)
  return { kind: 'query-regexp', name: key!.text, expression: call.compiler.compile(value.text, value.position), text: call.text }
}

function buildClientIp ({ args, text }: Call): Rule {
  const addresses = new BlockList()
  for (const argument of args) {
    const [, address = '', length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(argument.text.trim()) ?? []
    const family = isIP(address)
    const bits = family === 6 ? 128 : 32
    if (family === 0 || address.includes('%') || Number(length ?? 0) > bits) throw new RuleError(`${quoted(argument.text)} is neither an IP address nor a range such as 10.0.0.0/8.`, argument.position)
    addresses.addSubnet(address, Number(length ?? bits), family === 6 ? 'ipv6' : 'ipv4')
  }
  return { kind: 'client-ip', addresses, text }
}
