import type { RouteDeclaration } from './declarations.ts'
import type { Entry } from './entries.ts'
import { nearest } from '../suggest.ts'
import { option } from './options.ts'
import type { Option } from './options.ts'
import type { Problems } from './problems.ts'
import { itemsOf, readFlag, readInteger, readList, readName, readPath, readRaw } from './values.ts'

/** What was said of a route so far; one without a service leads to the container's main one. */
export type RouteDraft = Omit<RouteDeclaration, 'service'> & { service?: string, stripPrefix?: string[], needsToken?: boolean }

type Table = ReadonlyArray<readonly [string, Option<RouteDraft>]>

const MAX_RULE = 8192
const MAX_PRIORITY = 2 ** 31 - 1

/** Words that Traefik and dockAPI share. The priority 0 is the one that a route has without. */
const COMMON: Table = [
  ['rule', option(readRaw(MAX_RULE), (draft, value) => { draft.rule = value.trim() === '' ? undefined : value.trim() })],
  ['priority', option(readInteger(-MAX_PRIORITY, MAX_PRIORITY), (draft, value) => { if (value !== 0) draft.priority = value })],
  ['entrypoints', option(readList(readName), (draft, value) => { draft.entrypoints = value })],
  // As written: a reference that nobody can follow closes the route, one that is left out would open it.
  ['middlewares', option((text) => ({ value: itemsOf(text) }), (draft, value) => { draft.middlewares = value })],
  ['tls', option(readFlag, (draft, value) => { draft.isTls = value })]
]

/** Below `dockapi.`. */
export const DOCKAPI_ROUTE_OPTIONS: ReadonlyMap<string, Option<RouteDraft>> = new Map([
  ...COMMON,
  ['token', option(readNeed, (draft, value) => { draft.needsToken = value })],
  ['strip_prefix', option(readList(readPath), (draft, value) => { draft.stripPrefix = value })]
])

/** What is not clearly `false` asks for it: a slip must not open a route. */
function readNeed (text: string) {
  const reading = readFlag(text)
  return 'value' in reading ? reading : { value: true }
}

const toService = option<RouteDraft, string>(readName, (draft, value) => { draft.service = value })

/** Below `dockapi.routes.<name>.`. */
export const NAMED_ROUTE_OPTIONS: ReadonlyMap<string, Option<RouteDraft>> = new Map([...DOCKAPI_ROUTE_OPTIONS, ['service', toService]])

/** Below `traefik.http.routers.<name>.`. */
export const TRAEFIK_ROUTE_OPTIONS: ReadonlyMap<string, Option<RouteDraft>> = new Map([...COMMON, ['service', toService]])

export function emptyRoute (name: string): RouteDraft {
  return { name, rule: undefined, middlewares: [], isTls: false, entrypoints: [] }
}

/**
 * A slip in the word `middlewares` is read as that word, and reported: what it names may be what guards the route.
 */
export function mendMiddlewares (entry: Entry, known: readonly string[], problems: Problems): Entry {
  const [word = ''] = entry.folded
  if (entry.folded.length !== 1 || known.includes(word) || nearest(word, known) !== 'middlewares') return entry
  const suggestion = `${entry.label.slice(0, -word.length)}middlewares`
  problems.add(entry.label, 'Read as "middlewares": write it so.', suggestion)
  return { ...entry, folded: ['middlewares'] }
}
