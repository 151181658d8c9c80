import type { Middleware } from '../../../schemas/middlewares.ts'
import type { MiddlewareDeclaration } from './declarations.ts'
import type { CheckPattern } from './patterns.ts'
import { quoted } from './problems.ts'
import type { Problems } from './problems.ts'
import { emptyRoute } from './route-options.ts'
import type { RouteDraft } from './route-options.ts'
import { emptyService } from './service-options.ts'
import type { ServiceDraft } from './service-options.ts'
import { itemsOf, readChoice, readPath, readPort } from './values.ts'
import type { Reader } from './values.ts'

export type VirtualHostDeclarations = {
  /** Each is its own pool: nginx-proxy spreads a host over all containers that name it. */
  routes: RouteDraft[]
  service: ServiceDraft
  middlewares: MiddlewareDeclaration[]
}

/** What is read of a container's environment. */
export const VIRTUAL_VARIABLES = ['VIRTUAL_HOST', 'VIRTUAL_PORT', 'VIRTUAL_PATH', 'VIRTUAL_DEST', 'VIRTUAL_PROTO'] as const

/** Variables of nginx-proxy that have no effect here, and what to write instead. */
export const UNSUPPORTED_VARIABLES: Readonly<Record<string, string>> = {
  VIRTUAL_HOST_MULTIPORTS: 'It is not read: give each host or path a route of its own with dockapi.routes.<name>.rule and dockapi.routes.<name>.port.',
  VIRTUAL_ROOT: 'The gateway speaks HTTP only, not FastCGI: put a web server into the container.',
  NETWORK_ACCESS: 'It is not read: use a middleware ipallowlist.'
}

const MAX_HOSTS = 256
const REFERENCE = 'virtual_dest@own'

type Variables = ReadonlyMap<string, string>

/** Reads the variables of nginx-proxy; without VIRTUAL_HOST they are somebody else's and say nothing. */
export function readVirtualHost (environment: readonly string[], checkPattern: CheckPattern, problems: Problems): VirtualHostDeclarations {
  const variables = variablesOf(environment)
  const declarations: VirtualHostDeclarations = { routes: [], service: emptyService(), middlewares: [] }
  const isProxied = variables.has('VIRTUAL_HOST') || variables.has('VIRTUAL_HOST_MULTIPORTS')
  for (const [variable, advice] of Object.entries(UNSUPPORTED_VARIABLES)) {
    if (isProxied && variables.has(variable)) problems.add(variable, advice)
  }
  const hosts = itemsOf(variables.get('VIRTUAL_HOST') ?? '')
  if (hosts.length === 0) return declarations
  if (hosts.length > MAX_HOSTS) problems.add('VIRTUAL_HOST', `A container may declare ${MAX_HOSTS} hosts; those behind them are not read.`)
  const port = take(variables, 'VIRTUAL_PORT', readPort, problems)
  const scheme = take(variables, 'VIRTUAL_PROTO', readChoice({ http: 'http', https: 'https' }), problems)
  declarations.service = { ...declarations.service, ...(port === undefined ? {} : { port }), ...(scheme === undefined ? {} : { scheme }) }
  const path = pathOf(variables, checkPattern, problems)
  if (path === undefined) return declarations
  const middleware = destinationOf(variables, problems)
  if (middleware !== undefined) declarations.middlewares.push({ name: REFERENCE, middleware })
  for (const host of new Set(hosts.slice(0, MAX_HOSTS).map((host) => host.startsWith('~') ? host : host.toLowerCase()))) {
    const rule = hostRule(host, checkPattern)
    if (rule === undefined) problems.add('VIRTUAL_HOST', `${quoted(host)} is no host: write app.example.com, *.example.com, or ~ and a regular expression of RE2.`)
    else declarations.routes.push({ ...emptyRoute(`${host}${path.text}`), rule: rule + path.rule, ...priorityOf(host, path.text), middlewares: middleware === undefined ? [] : [REFERENCE] })
  }
  return declarations
}

function variablesOf (environment: readonly string[]): Variables {
  const known = new Set<string>([...VIRTUAL_VARIABLES, ...Object.keys(UNSUPPORTED_VARIABLES)])
  const pairs = environment.map((entry) => [entry.slice(0, Math.max(0, entry.indexOf('='))), entry.slice(entry.indexOf('=') + 1).trim()] as const)
  return new Map(pairs.filter(([name, value]) => known.has(name) && value !== ''))
}

function take<T> (variables: Variables, name: string, read: Reader<T>, problems: Problems): T | undefined {
  const text = variables.get(name)
  if (text === undefined) return undefined
  const reading = read(text)
  if ('value' in reading) return reading.value
  problems.add(name, `${quoted(text)} cannot be read: write ${reading.expected}.`)
  return undefined
}

/**
 * Hosts as nginx names them (`server_name`): `*.example.com`, `www.example.*`, `.example.com` for both, `~` and an expression. A
 * wildcard in front stands for one label, as in every other rule here.
 */
function hostRule (host: string, checkPattern: CheckPattern): string | undefined {
  if (host.startsWith('~')) {
    const pattern = host.slice(1)
    return checkPattern(pattern) === undefined && !pattern.includes('`') ? `HostRegexp(\`${pattern}\`)` : undefined
  }
  const name = host.replace(/^\*?\./, '').replace(/\.\*$/, '')
  if (!/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/.test(name) || host.length > 253) return undefined
  if (host.endsWith('.*')) return host === `${name}.*` ? `HostRegexp(\`^${escaped(name)}\\..+$\`)` : undefined
  if (host.startsWith('.')) return `(Host(\`${name}\`) || Host(\`*.${name}\`))`
  return `Host(\`${host}\`)`
}

/** nginx looks at expressions last: their routes come after those whose priority is the length of their rule. */
function priorityOf (host: string, path: string): { priority?: number } {
  return host.startsWith('~') || host.endsWith('.*') ? { priority: Math.max(1, path.length) } : {}
}

/** VIRTUAL_PATH is a `location` of nginx: a beginning, `= /exact`, or `~` and an expression. Undefined when it cannot be read. */
function pathOf (variables: Variables, checkPattern: CheckPattern, problems: Problems): { text: string, rule: string } | undefined {
  const text = variables.get('VIRTUAL_PATH') ?? '/'
  if (text === '/') return { text: '', rule: '' }
  const [, sign = '', rest = ''] = /^(=|~\*|~|\^~)?\s*(.*)$/s.exec(text) ?? []
  const isPattern = sign.startsWith('~')
  const pattern = sign === '~*' ? `(?i)${rest}` : rest
  const isReadable = (isPattern ? checkPattern(pattern) === undefined : 'value' in readPath(rest)) && !rest.includes('`')
  if (!isReadable) {
    problems.add('VIRTUAL_PATH', `${quoted(text)} cannot be read, so the hosts lead nowhere: write a path that begins with /, or ~ and a regular expression of RE2.`)
    return undefined
  }
  const matcher = isPattern ? 'PathRegexp' : sign === '=' ? 'Path' : 'PathPrefix'
  return { text, rule: ` && ${matcher}(\`${pattern}\`)` }
}

/** What VIRTUAL_DEST puts in the place of VIRTUAL_PATH; undefined when nothing is replaced. */
function destinationOf (variables: Variables, problems: Problems): Middleware | undefined {
  const dest = take(variables, 'VIRTUAL_DEST', readPath, problems)
  const path = variables.get('VIRTUAL_PATH') ?? '/'
  if (dest === undefined || dest === path) return undefined
  if (!path.startsWith('/') || dest.includes('$')) {
    problems.add('VIRTUAL_DEST', 'It goes with a VIRTUAL_PATH that begins with /, and without $; paths are passed on as they are.')
    return undefined
  }
  const bare = path.replace(/\/$/, '')
  if (dest === '/' && bare !== '') return { strip_prefix: { prefixes: [bare] } }
  return { replace_path_regex: { regex: `^${escaped(path)}(.*)$`, replacement: `${dest}$1` } }
}

function escaped (text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
