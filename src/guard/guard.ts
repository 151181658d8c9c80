import type { IncomingHttpHeaders } from 'node:http'
import { isTokenRequired } from '../config/load.ts'
import { isLoopback } from '../config/loopback.ts'
import type { Config } from '../config/schema.ts'
import { DockApiError } from '../errors.ts'
import { createHostRule } from './host.ts'
import { createConfiguredOrigins, createOriginRule } from './origin.ts'
import { createTokenCheck } from './token.ts'

export type GuardedRequest = {
  method: string
  headers: IncomingHttpHeaders
  /** The route said that it needs no token. Whatever has no route is not public. */
  isPublic: boolean
  /** The request is for a container's application, which has its own rules about origins. */
  isProxied: boolean
}

export type Guard = {
  /**
   * Who may call at all, whatever the route does: names that were re-pointed here and foreign pages may not.
   * @throws DockApiError `host_not_allowed`, `origin_not_allowed`.
   */
  checkSource (request: GuardedRequest): void
  /** @throws DockApiError `unauthorized` when a token is needed and this is not it. */
  checkToken (request: GuardedRequest): void
  /** Whether a page of this origin may call the API, and so gets CORS headers. `host` is the request's `Host`. */
  isOriginAllowed (origin: string, host: string | undefined): boolean
  /** Whether the configuration names this origin. */
  isOriginConfigured (origin: string): boolean
  /** Whether an `Authorization` header is dockAPI's own, which no container may see. */
  isOwnToken (authorization: string | undefined): boolean
}

const FOREIGN_SITES = new Set<unknown>(['cross-site', 'same-site'])

type GuardConfig = Pick<Config, 'host' | 'auth' | 'token' | 'allowedHosts' | 'corsOrigins'>

/** Who may call the API (DESIGN section 7). Decides on headers alone, before anything is read or dialled. */
export function createGuard (config: GuardConfig): Guard {
  const isHostAllowed = createHostRule(config)
  const isOriginConfigured = createConfiguredOrigins(config.corsOrigins)
  const isOriginAllowed = createOriginRule(isOriginConfigured)
  const isOwnToken = createTokenCheck(config.token)
  const needsToken = isTokenRequired(config)

  return {
    checkSource (request) {
      checkHost(request)
      if (!request.isProxied) checkPage(request)
    },
    checkToken ({ headers, isPublic }) {
      if (!needsToken || isPublic || isOwnToken(headers.authorization)) return
      throw new DockApiError('unauthorized', headers.authorization === undefined ? 'This API wants a token.' : 'The token is not valid.')
    },
    isOriginAllowed,
    isOriginConfigured,
    isOwnToken
  }

  function checkHost ({ headers, isPublic }: GuardedRequest): void {
    if (isHostAllowed(headers.host)) return
    // A re-pointed page cannot know the token; and what is public on an open port stays so under any name (health checks).
    if (needsToken && (isOwnToken(headers.authorization) || (isPublic && !isLoopback(config.host)))) return
    throw new DockApiError('host_not_allowed', `The API does not answer to the host "${headers.host}".`)
  }

  function checkPage ({ method, headers }: GuardedRequest): void {
    const { origin, host } = headers
    if (origin !== undefined) {
      if (isOriginAllowed(origin, host)) return
      throw new DockApiError('origin_not_allowed', `Pages of the origin "${origin}" may not call the API.`)
    }
    // Another port of this machine is the same site: a container's page at its published port.
    if (!FOREIGN_SITES.has(headers['sec-fetch-site'] ?? '') || isVisit(method, headers)) return
    throw new DockApiError('origin_not_allowed', 'Pages of other sites may not call the API.')
  }
}

/** Somebody follows a link to here: nothing changes on GET, and the page that holds the link cannot read the answer. */
function isVisit (method: string, headers: IncomingHttpHeaders): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
}
