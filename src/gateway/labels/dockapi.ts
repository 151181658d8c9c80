import { LABELS } from '../../containers/labels.ts'
import type { MiddlewareDeclaration } from './declarations.ts'
import { entriesBelow, namedEntries } from './entries.ts'
import type { Entry } from './entries.ts'
import { applyEntry, take } from './options.ts'
import type { Option } from './options.ts'
import type { Problems } from './problems.ts'
import { DOCKAPI_ROUTE_OPTIONS, emptyRoute, mendMiddlewares, NAMED_ROUTE_OPTIONS } from './route-options.ts'
import type { RouteDraft } from './route-options.ts'
import { DOCKAPI_SERVICE_OPTIONS, emptyService } from './service-options.ts'
import type { ServiceDraft } from './service-options.ts'
import { readFlag, readName } from './values.ts'

/** A route and what is said of the service behind it. */
export type DockapiRoute = {
  route: RouteDraft
  service: ServiceDraft
  /** Something is said of the route itself. */
  isRoute: boolean
  /** Something is said of its service. */
  isService: boolean
}

export type DockapiDeclarations = {
  isEnabled: boolean | undefined
  network: string | undefined
  serviceName: string | undefined
  /** What the labels say that name no route. */
  main: DockapiRoute
  routes: DockapiRoute[]
}

const PREFIX = 'dockapi.'
const ROUTES = 'routes'

/** Read by other parts of dockAPI. */
const ELSEWHERE: ReadonlySet<string> = new Set(Object.values(LABELS).map((label) => label.slice(PREFIX.length)))

const MAIN_OPTIONS = joined(DOCKAPI_ROUTE_OPTIONS)
const NAMED_OPTIONS = joined(NAMED_ROUTE_OPTIONS)

/** Words below `dockapi.` that say something to the gateway. */
export const DOCKAPI_WORDS = ['enable', 'network', 'service', ...MAIN_OPTIONS.keys()]
/** Words below `dockapi.routes.<name>.`. */
export const DOCKAPI_ROUTE_WORDS = [...NAMED_OPTIONS.keys()]

/** Reads `dockapi.*`: one route with plain labels, more of them below `dockapi.routes.<name>.`. */
export function readDockapi (labels: Readonly<Record<string, string>>, problems: Problems): DockapiDeclarations {
  const declarations: DockapiDeclarations = { isEnabled: undefined, network: undefined, serviceName: undefined, main: emptyDraft(''), routes: [] }
  const named: Entry[] = []
  for (const entry of entriesBelow(PREFIX, labels, problems)) {
    const word = entry.folded.join('.')
    if (entry.folded[0] === ROUTES && entry.folded.length > 2) named.push(entry)
    else if (word === 'enable') declarations.isEnabled = take(entry, readFlag, problems)
    else if (word === 'network') declarations.network = take(entry, readName, problems)
    else if (word === 'service') declarations.serviceName = take(entry, readName, problems)
    else if (MAIN_OPTIONS.has(word) || !ELSEWHERE.has(word)) readRouteLabel(declarations.main, entry, MAIN_OPTIONS, DOCKAPI_WORDS, problems)
  }
  for (const { name, entries } of namedEntries(named, 1, 'A route', problems)) {
    const draft = emptyDraft(name)
    for (const entry of entries) readRouteLabel(draft, entry, NAMED_OPTIONS, DOCKAPI_ROUTE_WORDS, problems)
    declarations.routes.push(draft)
  }
  return declarations
}

function readRouteLabel (draft: DockapiRoute, entry: Entry, options: ReadonlyMap<string, Option<DockapiRoute>>, known: readonly string[], problems: Problems): void {
  applyEntry(draft, mendMiddlewares(entry, known, problems), { options, known }, problems)
}

/** The middlewares that `token` and `strip_prefix` of a route ask for; no other container can name them. */
export function ownMiddlewares ({ name, needsToken, stripPrefix }: RouteDraft): { first: MiddlewareDeclaration[], last: MiddlewareDeclaration[] } {
  const own = (kind: string) => `${name === '' ? kind : `${kind}.${name}`}@own`
  return {
    first: needsToken === true ? [{ name: own('token'), middleware: { token: {} } }] : [],
    last: stripPrefix === undefined ? [] : [{ name: own('strip_prefix'), middleware: { strip_prefix: { prefixes: stripPrefix } } }]
  }
}

function emptyDraft (name: string): DockapiRoute {
  return { route: emptyRoute(name), service: emptyService(), isRoute: false, isService: false }
}

/** The words of a route together with those of its service. */
function joined (routeOptions: ReadonlyMap<string, Option<RouteDraft>>): ReadonlyMap<string, Option<DockapiRoute>> {
  return new Map([
    ...[...routeOptions].map(([word, option]) => [word, lifted(option, (draft) => { draft.isRoute = true; return draft.route })] as const),
    ...[...DOCKAPI_SERVICE_OPTIONS].map(([word, option]) => [word, lifted(option, (draft) => { draft.isService = true; return draft.service })] as const)
  ])
}

function lifted<Draft> ({ apply, ...rest }: Option<Draft>, part: (draft: DockapiRoute) => Draft): Option<DockapiRoute> {
  return { ...rest, apply: (draft, text, key) => apply(part(draft), text, key) }
}
