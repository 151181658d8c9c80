import { DOCKAPI_ROUTE_WORDS, DOCKAPI_WORDS } from './dockapi.ts'
import { MIDDLEWARE_TABLES, UNSUPPORTED_MIDDLEWARES } from './middleware-options.ts'
import { TRAEFIK_ROUTE_OPTIONS } from './route-options.ts'
import { TRAEFIK_SERVICE_OPTIONS } from './service-options.ts'
import { UNSUPPORTED_VARIABLES, VIRTUAL_VARIABLES } from './virtual-host.ts'

/** Every label that is understood, `<name>` for a name of the user's; `docs/labels.md` lists the same (tested). */
export const KNOWN_LABELS: readonly string[] = [
  ...DOCKAPI_WORDS.map((word) => `dockapi.${word}`),
  ...DOCKAPI_ROUTE_WORDS.map((word) => `dockapi.routes.<name>.${word}`),
  'traefik.enable',
  'traefik.docker.network',
  ...[...TRAEFIK_ROUTE_OPTIONS.keys()].map((word) => `traefik.http.routers.<name>.${word}`),
  ...[...TRAEFIK_SERVICE_OPTIONS.keys()].map((word) => `traefik.http.services.<name>.${word}`)
]

/** The middlewares that labels may define, and the words below each. */
export const KNOWN_MIDDLEWARES: ReadonlyMap<string, readonly string[]> = new Map([...MIDDLEWARE_TABLES].map(([name, { options }]) => [name, [...options.keys()]]))

/** Middlewares and variables that are known and not supported. */
export const KNOWN_UNSUPPORTED: readonly string[] = [...Object.keys(UNSUPPORTED_MIDDLEWARES), ...Object.keys(UNSUPPORTED_VARIABLES)]

export const KNOWN_VARIABLES: readonly string[] = VIRTUAL_VARIABLES
