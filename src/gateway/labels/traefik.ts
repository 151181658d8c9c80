import { nearest } from '../suggest.ts'
import type { MiddlewareDeclaration } from './declarations.ts'
import { entriesBelow, namedEntries, reportUnknown } from './entries.ts'
import type { Entry, NamedEntries } from './entries.ts'
import { applyEntry, take } from './options.ts'
import type { CheckPattern } from './patterns.ts'
import type { Problems } from './problems.ts'
import { emptyRoute, mendMiddlewares, TRAEFIK_ROUTE_OPTIONS } from './route-options.ts'
import type { RouteDraft } from './route-options.ts'
import { emptyService, TRAEFIK_SERVICE_OPTIONS } from './service-options.ts'
import type { ServiceDraft } from './service-options.ts'
import { readMiddleware } from './traefik-middlewares.ts'
import { readFlag, readName } from './values.ts'

export type NamedService = { name: string, label: string, draft: ServiceDraft }

export type TraefikDeclarations = {
  isEnabled: boolean | undefined
  network: string | undefined
  routes: RouteDraft[]
  services: NamedService[]
  middlewares: MiddlewareDeclaration[]
}

const PREFIX = 'traefik.'

/** Known to Traefik and of no effect here, with what to do instead. */
const UNSUPPORTED: ReadonlyArray<readonly [RegExp, string]> = [
  [/^tcp\./, 'The gateway speaks HTTP only: publish the port of a TCP service with ports.'],
  [/^udp\./, 'The gateway speaks HTTP only: publish the port of a UDP service with ports.'],
  [/^swarm\.network$/, 'Labels of Swarm services are not read: write traefik.docker.network.'],
  [/^(docker|swarm)\.lbswarm$/, 'Requests are spread over containers, never over the address of a Swarm service.'],
  [/^http\.serverstransports\./, 'Traefik reads no transports from labels either; requests to https upstreams verify their certificates.'],
  [/^(frontend|frontends|backend|backends|port|protocol|weight)(\.|$)/, 'This is a label of Traefik 1: write those of Traefik 2 or 3, traefik.http.routers.<name>.rule and traefik.http.services.<name>.loadbalancer.server.port.']
]

/** Accepted without a word: what they ask for is so anyway, or concerns another program. */
const ACCEPTED = [/^docker\.allownonrunning$/, /^tls\./, /^constraint-label$/, /^tags$/]

const KNOWN = ['enable', 'docker.network']
const SECTIONS = ['routers', 'services', 'middlewares']

/** Words below a router that are accepted: TLS is the gateway's own. */
const ROUTER_ACCEPTED = ['tls.certresolver', 'tls.options', 'tls.domains', 'tls.domains[', 'tls.domains.', 'rulesyntax', 'observability.']

const SERVICE_UNSUPPORTED = {
  'loadbalancer.server.preservepath': 'The path of server.url is not put before that of requests; use the middleware addprefix.',
  'loadbalancer.serverstransport': 'Requests to https upstreams verify their certificates; transports of Traefik are not known here.',
  'loadbalancer.sticky.cookie.domain': 'The cookie is of the host that set it.',
  'loadbalancer.healthcheck.unhealthyinterval': 'An upstream that is not well is probed as often as any other.',
  'loadbalancer.healthcheck.followredirects': 'A redirect counts as healthy; it is not followed.',
  'loadbalancer.healthcheck.mode': 'Health is asked by HTTP only.',
  'loadbalancer.passivehealthcheck.': 'Upstreams that fail requests are taken out without being told to.'
}
const SERVICE_ACCEPTED = ['loadbalancer', 'loadbalancer.responseforwarding.']

/** Reads `traefik.*` as Traefik 3 does; what it does not understand is reported and left out. */
export function readTraefik (labels: Readonly<Record<string, string>>, checkPattern: CheckPattern, problems: Problems): TraefikDeclarations {
  const http = new Map<string, Entry[]>(SECTIONS.map((section) => [section, []]))
  const given = new Set<string>()
  const declarations: TraefikDeclarations = { isEnabled: undefined, network: undefined, routes: [], services: [], middlewares: [] }
  for (const entry of entriesBelow(PREFIX, labels, problems)) {
    const word = entry.folded.join('.')
    const section = entry.folded[0] === 'http' && entry.folded.length > 3 ? http.get(entry.folded[1]!) : undefined
    if (section !== undefined) section.push(entry)
    else if (word === 'enable') declarations.isEnabled = take(entry, readFlag, problems)
    else if (word === 'docker.network') declarations.network = take(entry, readName, problems)
    else reportOther(entry, word, given, problems)
  }
  declarations.routes = named(http, 'routers', 'A router', problems).map((item) => readRouter(item, problems))
  declarations.services = named(http, 'services', 'A service', problems).flatMap((item) => readService(item, problems))
  declarations.middlewares = named(http, 'middlewares', 'A middleware', problems).map((item) => readMiddleware(item, checkPattern, problems))
  return declarations
}

function named (http: ReadonlyMap<string, Entry[]>, section: string, what: string, problems: Problems): NamedEntries[] {
  return namedEntries(http.get(section) ?? [], 2, what, problems)
}

/** Labels that mean nothing here. The same advice is given once: a TCP service has many labels. */
function reportOther (entry: Entry, word: string, given: Set<string>, problems: Problems): void {
  const [, advice] = UNSUPPORTED.find(([pattern]) => pattern.test(word)) ?? []
  if (advice !== undefined) {
    if (!given.has(advice)) problems.add(entry.label, advice)
    given.add(advice)
    return
  }
  if (ACCEPTED.some((pattern) => pattern.test(word))) return
  const [protocol = '', section = '', ...rest] = entry.path
  const known = nearest(section, SECTIONS)
  if (rest.length > 1 && known !== undefined && nearest(protocol, ['http']) !== undefined) {
    return problems.add(entry.label, 'No such label is known here; it has no effect.', `${PREFIX}http.${known}.${rest.join('.')}`)
  }
  reportUnknown(entry, entry.path.join('.'), KNOWN, problems)
}

function readRouter ({ name, entries }: NamedEntries, problems: Problems): RouteDraft {
  const draft = emptyRoute(name)
  const known = [...TRAEFIK_ROUTE_OPTIONS.keys()]
  for (const entry of entries) {
    if (entry.folded[0] === 'tls' && entry.folded.length > 1 && !entries.some(({ folded }) => folded.join('.') === 'tls')) draft.isTls = true
    applyEntry(draft, mendMiddlewares(entry, known, problems), { options: TRAEFIK_ROUTE_OPTIONS, accepted: ROUTER_ACCEPTED }, problems)
  }
  return draft
}

/** A service of which nothing could be read is still one: its name may be what a router leads to. */
function readService ({ name, entries }: NamedEntries, problems: Problems): NamedService[] {
  const draft = emptyService()
  for (const entry of entries) {
    if (entry.folded.join('.') === 'loadbalancer.healthcheck.mode' && entry.value.trim().toLowerCase() === 'http') continue
    applyEntry(draft, entry, { options: TRAEFIK_SERVICE_OPTIONS, unsupported: SERVICE_UNSUPPORTED, accepted: SERVICE_ACCEPTED }, problems)
  }
  return [{ name, label: entries[0]!.label, draft }]
}
