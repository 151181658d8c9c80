import type { Containers } from '../containers/containers.ts'
import { nameOf } from '../containers/lookup.ts'
import { listContainers } from '../engine/containers.ts'
import type { ContainerSummary } from '../engine/containers.ts'
import { isDockApiError } from '../errors.ts'
import type { ExplainQuery, Explanation } from '../../schemas/explain.ts'
import type { RouteInfo } from '../../schemas/routes.ts'
import { askedOfUrl } from './asked.ts'
import type { Asked } from './asked.ts'
import { isExposed } from './exposure.ts'
import type { Expose } from './exposure.ts'
import { composeName, hostsOf } from './names.ts'
import type { Pool } from './pool.ts'
import type { LiveRoute, Member, Route } from './route.ts'
import { nearest } from './suggest.ts'
import { unreachable } from './table.ts'
import type { Table } from './table.ts'

export type ExplainParts = {
  table: Table
  reserved: ReadonlySet<string>
  containers: Pick<Containers, 'engine'>
  expose: Expose
  domain: string
  describe (route: Route): RouteInfo
  pool: Pool<Member>
}

/** How many candidates and containers an answer names at most. */
const MAX_NAMED = 20

/**
 * Why a URL reaches what it reaches, or nothing. Sends nothing to any container; asks the engine for its list when no route matches.
 * @throws DockApiError `invalid_request` when it is no URL.
 */
export async function explainUrl ({ url, method = 'GET' }: ExplainQuery, parts: ExplainParts, signal?: AbortSignal): Promise<Explanation> {
  const { table, reserved, describe } = parts
  const asked = askedOfUrl(url, method)
  const taken = reserved.has(asked.host) ? undefined : table.find(asked)
  const candidates = table.router.candidates(asked).slice(0, MAX_NAMED).map(({ route, failures }) => ({
    id: route.id,
    rule: route.ruleText,
    matches: failures.length === 0,
    reason: failures.length > 0 ? `Does not match: ${failures.join(', ')}.` : route === taken ? 'It is taken.' : taken === undefined ? 'The host belongs to another owner.' : 'Another route comes first.'
  }))
  return {
    url,
    method,
    host: asked.host,
    ...outcomeOf(asked, taken, parts),
    route: taken === undefined ? null : describe(taken),
    candidates,
    skipped: taken === undefined ? await skipped(asked, parts, signal) : [],
    suggestion: taken === undefined ? nearestHost(asked.host, parts) ?? null : null
  }
}

/** Within dockAPI's own domain names are compared without it: what all have in common makes none alike. */
function nearestHost (host: string, { table, domain }: ExplainParts): string | undefined {
  const end = `.${domain}`
  const hosts = table.routes.flatMap((route) => route.hosts)
  if (!host.endsWith(end)) return nearest(host, hosts)
  const name = nearest(host.slice(0, -end.length), hosts.flatMap((each) => each.endsWith(end) ? each.slice(0, -end.length) : []))
  return name === undefined ? undefined : `${name}${end}`
}

function outcomeOf ({ host, method, path }: Asked, taken: LiveRoute | undefined, { reserved, table, pool }: ExplainParts): Pick<Explanation, 'outcome' | 'summary'> {
  if (reserved.has(host)) return { outcome: 'reserved', summary: `The host "${host}" is the API's; no container gets it.` }
  if (taken === undefined) {
    const isHostKnown = table.routes.some(({ hosts }) => hosts.includes(host))
    return { outcome: 'no_route', summary: isHostKnown ? `Routes name the host "${host}", but none is for ${method} ${path}.` : `No route is for the host "${host}".` }
  }
  const missing = taken.middlewares.find(({ definition }) => definition === undefined)
  if (missing !== undefined) return { outcome: 'blocked', summary: `The route "${taken.id}" matches, but its middleware "${missing.reference}" is not defined, so it answers 503.` }
  const states = taken.service.members.map((member) => pool.stateOf(taken.service, member).state)
  const ready = states.filter((state) => state === 'up' || state === 'opening').length
  if (ready === 0) {
    const summary = `The route "${taken.id}" matches, but none of its ${states.length} upstreams takes requests: ${states.join(', ') || 'there is none'}.`
    return { outcome: 'no_upstream', summary: [summary, ...unreachable(taken.service)].join(' ') }
  }
  return { outcome: 'answers', summary: `The route "${taken.id}" answers, from ${ready} of ${states.length} ${states.length === 1 ? 'upstream' : 'upstreams'}.` }
}

/** Containers that would have this host, were they exposed, not in each other's way, or without rules of their own. */
async function skipped ({ host }: Asked, { table, containers, expose, domain }: ExplainParts, signal?: AbortSignal): Promise<Explanation['skipped']> {
  const inTheWay = table.routes.flatMap(({ name, service, problems }) => problems.filter((problem) => problem.includes(host)).map((reason) => ({ container: service.members[0]?.container.name ?? name, reason })))
  const meant = (await listOrNone(containers, signal)).filter((container) => isMeant(container, host, domain)).flatMap((container) => {
    const reason = isExposed(container.Labels, expose) ? ruledReason(container, host, table) : hiddenReason(container)
    return reason === undefined ? [] : [{ container: nameOf(container.Names), reason }]
  })
  return [...inTheWay, ...meant].slice(0, MAX_NAMED)
}

async function listOrNone ({ engine }: Pick<Containers, 'engine'>, signal?: AbortSignal): Promise<ContainerSummary[]> {
  try {
    return await listContainers(engine, {}, { signal })
  } catch (error) {
    if (isDockApiError(error)) return []
    throw error
  }
}

function isMeant ({ Names, Labels }: ContainerSummary, host: string, domain: string): boolean {
  const names = [nameOf(Names), composeName(Labels)].filter((name) => name !== undefined)
  return names.some((name) => hostsOf(name, domain).includes(host)) || Object.values(Labels).some((value) => value.includes(`Host(\`${host}\``))
}

function hiddenReason ({ Labels }: ContainerSummary): string {
  if (Labels['dockapi.enable'] === 'false' || Labels['traefik.enable'] === 'false') return 'A label says that it is not to be exposed.'
  return 'It is not exposed: give it the label dockapi.enable=true, or set DOCKAPI_EXPOSE=all.'
}

function ruledReason ({ Id }: ContainerSummary, host: string, { byContainer }: Table): string | undefined {
  const route = byContainer.get(Id)
  if (route === undefined || route.problems.some((problem) => problem.includes(host))) return undefined
  return route.rule === undefined ? route.problems.join(' ') : `It has a rule of its own in place of this host: ${route.ruleText}`
}
