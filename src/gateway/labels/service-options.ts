import type { ActiveHealth, ServiceSettings, Sticky } from '../../../schemas/services.ts'
import type { ServiceDeclaration } from './declarations.ts'
import { option } from './options.ts'
import type { Option } from './options.ts'
import type { Problems } from './problems.ts'
import { readChoice, readCookieName, readDuration, readFlag, readHost, readInteger, readPath, readPort, readScheme, readText, readUrl } from './values.ts'
import type { Reading } from './values.ts'

/** What was said of a service so far. */
export type ServiceDraft = {
  port?: number
  scheme?: 'http' | 'https'
  url?: string
  weight?: number
  strategy?: NonNullable<ServiceSettings['strategy']>
  passHost?: boolean
  isSticky?: boolean
  sticky: Sticky
  health: Partial<ActiveHealth>
}

type Table = ReadonlyArray<readonly [string, Option<ServiceDraft>]>

const MAX_HEALTH_SECONDS = 3600
const seconds = readDuration(MAX_HEALTH_SECONDS)
const weight = readInteger(1, 1000)
const threshold = readInteger(1, 100)
const method = readChoice({ get: 'GET', head: 'HEAD', options: 'OPTIONS' })

/** Labels of the probe; what they are called is the same for dockAPI and Traefik but for their prefix. */
const HEALTH: Table = [
  ['path', option(readPath, ({ health }, value) => { health.path = value })],
  ['port', option(readPort, ({ health }, value) => { health.port = value })],
  ['scheme', option(readScheme, ({ health }, value) => { health.scheme = value })],
  ['hostname', option(readHost, ({ health }, value) => { health.hostname = value })],
  ['method', option(method, ({ health }, value) => { health.method = value })],
  ['status', option(readInteger(100, 599), ({ health }, value) => { health.status = value })],
  ['interval', option(seconds, ({ health }, value) => { health.interval = value })],
  ['timeout', option(seconds, ({ health }, value) => { health.timeout = value })],
  ['headers', option(readText(8192), ({ health }, value, name) => { health.headers = { ...health.headers, [name]: value } }, { isMap: true, isSecret: true })]
]

const SERVER: Table = [
  ['port', option(readPort, (draft, value) => { draft.port = value })],
  ['scheme', option(readScheme, (draft, value) => { draft.scheme = value })],
  ['weight', option(weight, (draft, value) => { draft.weight = value })]
]

/** Below `dockapi.` and `dockapi.routes.<name>.`. */
export const DOCKAPI_SERVICE_OPTIONS: ReadonlyMap<string, Option<ServiceDraft>> = new Map([
  ...SERVER,
  ['strategy', option(readChoice({ round_robin: 'round_robin', least_connections: 'least_connections' }), (draft, value) => { draft.strategy = value })],
  ['sticky', option(readSticky, (draft, { isSticky, cookie }) => { draft.isSticky = isSticky; draft.sticky = cookie === undefined ? {} : { cookie } })],
  ['pass_host', option(readFlag, (draft, value) => { draft.passHost = value })],
  ...under('health', HEALTH),
  ['health.healthy_threshold', option(threshold, ({ health }, value) => { health.healthy_threshold = value })],
  ['health.unhealthy_threshold', option(threshold, ({ health }, value) => { health.unhealthy_threshold = value })]
])

/** Below `traefik.http.services.<name>.`. */
export const TRAEFIK_SERVICE_OPTIONS: ReadonlyMap<string, Option<ServiceDraft>> = new Map(under('loadbalancer', [
  ...under('server', [...SERVER, ['url', option(readUrl, (draft, value) => { draft.url = value })]]),
  ['strategy', option(readChoice({ wrr: 'round_robin', p2c: 'least_connections' }), (draft, value) => { draft.strategy = value })],
  ['passhostheader', option(readFlag, (draft, value) => { draft.passHost = value })],
  ...under('healthcheck', HEALTH),
  ['sticky', option(readFlag, (draft, value) => { draft.isSticky ??= value })],
  ...under('sticky', [
    ['cookie', option(readFlag, (draft, value) => { draft.isSticky = value })],
    ['cookie.name', stickyOption(readCookieName, (sticky, value) => { sticky.cookie = value })],
    ['cookie.secure', stickyOption(readFlag, (sticky, value) => { sticky.secure = value })],
    ['cookie.httponly', stickyOption(readFlag, (sticky, value) => { sticky.http_only = value })],
    ['cookie.samesite', stickyOption(readChoice({ none: 'none', lax: 'lax', strict: 'strict' }), (sticky, value) => { sticky.same_site = value })],
    ['cookie.maxage', stickyOption(readInteger(0), (sticky, value) => { sticky.max_age = value })],
    ['cookie.path', stickyOption(readPath, (sticky, value) => { sticky.path = value })]
  ])
]))

function under (prefix: string, table: Table): Table {
  return table.map(([name, option]) => [`${prefix}.${name}`, option])
}

function stickyOption<T> (read: Parameters<typeof option<ServiceDraft, T>>[0], set: (sticky: Sticky, value: T) => void): Option<ServiceDraft> {
  return option(read, (draft, value) => {
    draft.isSticky ??= true
    set(draft.sticky, value)
  })
}

/** `true`, `false`, or the name of the cookie. */
function readSticky (text: string): Reading<{ isSticky: boolean, cookie?: string }> {
  const flag = readFlag(text)
  if ('value' in flag) return { value: { isSticky: flag.value } }
  const cookie = readCookieName(text)
  return 'value' in cookie ? { value: { isSticky: true, cookie: cookie.value } } : { expected: 'true, false or the name of a cookie' }
}

export function emptyService (): ServiceDraft {
  return { sticky: {}, health: {} }
}

/** What two say of one service: of the same thing the first. */
export function joinServices (first: ServiceDraft, second: ServiceDraft): ServiceDraft {
  const isElsewhere = first.url === undefined && (first.port ?? first.scheme) !== undefined
  const { url, ...rest } = second
  return {
    ...rest,
    ...(url === undefined || isElsewhere ? {} : { url }),
    ...first,
    sticky: first.isSticky === undefined ? second.sticky : first.sticky,
    health: { ...second.health, ...first.health }
  }
}

/** The service that a draft describes. A probe without a path is none. */
export function serviceOf (name: string, draft: ServiceDraft, label: string, problems: Problems): ServiceDeclaration {
  const { port, scheme, url, weight, strategy, passHost, isSticky, sticky, health: { path, ...health } } = draft
  if (path === undefined && Object.keys(health).length > 0) problems.add(label, 'The service is not probed, for the path of the probe is missing: write it too.')
  return {
    name,
    ...(port === undefined ? {} : { port }),
    ...(scheme === undefined ? {} : { scheme }),
    ...(url === undefined ? {} : { url }),
    ...(weight === undefined ? {} : { weight }),
    settings: {
      ...(strategy === undefined ? {} : { strategy }),
      ...(isSticky === true ? { sticky } : {}),
      ...(path === undefined ? {} : { health: { ...health, path } }),
      ...(passHost === undefined ? {} : { pass_host: passHost })
    }
  }
}
