import type { ContainerSummary } from '../engine/containers.ts'
import { DockApiError } from '../errors.ts'
import type { RouteInfo } from '../../schemas/routes.ts'
import type { Grant } from './grant.ts'
import type { Principal } from './principal.ts'

/**
 * The routes as somebody sees them to whom only these containers exist: others stand behind no route, and a route with none of theirs is
 * left out. Problems name other containers, so a token that is narrowed to some is not told them.
 */
export function visibleRoutes (routes: RouteInfo[], containers: readonly ContainerSummary[], { labels }: Grant): RouteInfo[] {
  const ids = new Set(containers.map(({ Id }) => Id))
  return routes.flatMap((route) => {
    const upstreams = route.upstreams.filter(({ container_id: id }) => id === null ? labels === undefined : ids.has(id))
    return upstreams.length === 0 ? [] : [{ ...route, upstreams, problems: labels === undefined ? route.problems : [] }]
  })
}

/** Routes and middlewares are the whole gateway's. @throws DockApiError `token_restricted` for a token that is narrowed to some containers. */
export function refuseNarrowed ({ name, grant }: Principal): void {
  if (grant.labels !== undefined) throw new DockApiError('token_restricted', `The token "${name}" is narrowed to some containers, and this concerns the whole gateway.`)
}
