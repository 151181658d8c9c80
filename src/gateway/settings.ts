import { isIP } from 'node:net'
import { isLoopback } from '../config/loopback.ts'
import { DockApiError, invalidField } from '../errors.ts'
import type { SettingKind, SettingsTable, SettingVersion } from '../store/settings.ts'
import type { Middleware } from '../../schemas/middlewares.ts'
import type { RouteOverride, StaticRoute } from '../../schemas/routes.ts'
import { isForbiddenAddress } from '../forward/forbidden-address.ts'
import { parseRule } from './rules/parse.ts'
import { RuleError } from './rules/rule-error.ts'

type Documents = { route: StaticRoute, override: RouteOverride, middleware: Middleware }

/** What the gateway was told through the API: routes of its own, changes of what labels say, and middlewares. Kept across restarts, with every version. */
export type GatewaySettings = {
  readonly routes: readonly StaticRoute[]
  readonly overrides: ReadonlyMap<string, RouteOverride>
  readonly middlewares: ReadonlyMap<string, Middleware>
  get<K extends SettingKind> (kind: K, id: string): Documents[K] | undefined
  /** @throws DockApiError `invalid_request` on the field that does not hold. */
  put<K extends SettingKind> (kind: K, id: string, document: Documents[K], by: string): void
  /** @throws DockApiError `setting_not_found`. */
  remove (kind: SettingKind, id: string, by: string): void
  /** The newest first. @throws DockApiError `setting_not_found` when there never was one. */
  versions (kind: SettingKind, id: string): SettingVersion[]
  /**
   * Brings back what was before the last change, or an earlier version; that is a change too, so nothing is lost.
   * @throws DockApiError `setting_not_found` when there is nothing before, or no such version.
   */
  undo (kind: SettingKind, id: string, version: number | undefined, by: string): SettingVersion
}

export type GatewaySettingsOptions = {
  /** Called after each change. */
  onChange (): void
  /** Ports of this process, which no route may lead to: the API has guards of its own. */
  ownPorts (): readonly number[]
  /** @throws DockApiError `invalid_request` on the field of a middleware that does not hold. */
  checkMiddleware (definition: Middleware): void
}

export function createGatewaySettings (table: SettingsTable, { onChange, ownPorts, checkMiddleware }: GatewaySettingsOptions): GatewaySettings {
  const documents: { [K in SettingKind]: Map<string, Documents[K]> } = { route: new Map(), override: new Map(), middleware: new Map() }
  load()

  function load () {
    for (const kind of Object.keys(documents) as SettingKind[]) documents[kind].clear()
    for (const { kind, id, document } of table.list()) documents[kind].set(id, document as never)
  }

  function change (kind: SettingKind, id: string, version: Parameters<SettingsTable['put']>[2]) {
    table.put(kind, id, version)
    load()
    onChange()
  }

  function versions (kind: SettingKind, id: string) {
    const found = table.versions(kind, id)
    if (found.length === 0) throw notFound(kind, id)
    return found
  }

  return {
    get routes () { return [...documents.route.values()] },
    get overrides () { return documents.override },
    get middlewares () { return documents.middleware },
    get: (kind, id) => documents[kind].get(id),
    put (kind, id, document, by) {
      if (kind === 'route') checkRoute(document as StaticRoute, ownPorts())
      if (kind === 'override') checkRule((document as RouteOverride).rule)
      if (kind === 'middleware') checkMiddleware(document as Middleware)
      change(kind, id, { document, restoredFrom: null, changedBy: by })
    },
    remove (kind, id, by) {
      if (!documents[kind].has(id)) throw notFound(kind, id)
      change(kind, id, { document: null, restoredFrom: null, changedBy: by })
    },
    versions,
    undo (kind, id, wanted, by) {
      const all = versions(kind, id)
      const shown = all[0]!.restoredFrom ?? all[0]!.version
      const target = wanted === undefined ? all.find(({ version }) => version < shown) : all.find(({ version }) => version === wanted)
      // Before the first version there was nothing.
      if (target === undefined && (wanted !== undefined || all[0]!.document === null)) throw new DockApiError('setting_not_found', `There is no ${wanted === undefined ? 'earlier version' : `version ${wanted}`} of "${id}".`)
      change(kind, id, { document: target?.document ?? null, restoredFrom: target?.version ?? 0, changedBy: by })
      return table.versions(kind, id)[0]!
    }
  }
}

const WORDS: Record<SettingKind, string> = { route: 'route of the API', override: 'change of the route', middleware: 'middleware of the API' }

function notFound (kind: SettingKind, id: string): DockApiError {
  return new DockApiError('setting_not_found', `There is no ${WORDS[kind]} "${id}".`)
}

function checkRoute ({ rule, upstreams, service, port }: StaticRoute, ownPorts: readonly number[]): void {
  checkRule(rule)
  if ((upstreams === undefined) === (service === undefined)) throw invalidField('body', '/upstreams', 'is needed, or service in its place; not both')
  if (upstreams !== undefined && port !== undefined) throw invalidField('body', '/port', 'goes with service; the URL of an upstream has its own port')
  for (const [index, { url }] of (upstreams ?? []).entries()) {
    const refusal = refusalOf(url, ownPorts)
    if (refusal !== undefined) throw invalidField('body', `/upstreams/${index}/url`, refusal)
  }
}

function checkRule (rule: string | undefined): void {
  if (rule === undefined) return
  try {
    parseRule(rule)
  } catch (error) {
    if (!(error instanceof RuleError)) throw error
    throw invalidField('body', '/rule', `cannot be read at character ${error.position + 1}: ${error.message}`, error.suggestion === undefined ? undefined : `Did you mean ${error.suggestion}?`)
  }
}

function refusalOf (text: string, ownPorts: readonly number[]): string | undefined {
  const url = URL.parse(text)
  if (url === null) return 'is no URL'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && isForbiddenAddress(host)) return `${host} is an address that is never dialled (link-local, multicast or unspecified)`
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  return isLoopback(host) && ownPorts.includes(port) ? 'is dockAPI itself' : undefined
}
