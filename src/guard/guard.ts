import type { IncomingHttpHeaders } from 'node:http'
import { createAttempts } from '../auth/attempts.ts'
import { createOwnTest, credentialOf } from '../auth/credentials.ts'
import type { Credential } from '../auth/credentials.ts'
import { NOBODY, OPEN, OWNER } from '../auth/principal.ts'
import type { Principal } from '../auth/principal.ts'
import { isTokenRequired } from '../auth/requirement.ts'
import { bearerOf, digest, isSameDigest, isTokenShaped } from '../auth/secret.ts'
import type { Tickets } from '../auth/tickets.ts'
import type { Tokens } from '../auth/tokens.ts'
import { hasTokenInUrl } from '../auth/url.ts'
import { isLoopback } from '../config/loopback.ts'
import type { Config } from '../config/schema.ts'
import { DockApiError } from '../errors.ts'
import { createHostRule } from './host.ts'
import { createConfiguredOrigins, createOriginRule } from './origin.ts'

export type GuardedRequest = {
  readonly method: string
  /** The request target as it was sent. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** The peer of the connection. */
  readonly address: string
  /** The route said that it needs no token. Whatever has no route is not public. */
  readonly isPublic: boolean
  /** The request is for a container's application, which has its own rules about origins. */
  readonly isProxied: boolean
  /** Whom its credential stands for, once that was looked at: a ticket can be looked at only once. */
  identity?: { principal: Principal | undefined }
}

export type Guard = {
  /**
   * Who may call at all, whatever the route does: names that were re-pointed here and foreign pages may not.
   * @throws DockApiError `host_not_allowed`, `origin_not_allowed`, `too_many_attempts`.
   */
  checkSource (request: GuardedRequest): void
  /**
   * Whom the request is from.
   * @throws DockApiError `unauthorized` when a token is needed and this is none, `token_in_url`, `too_many_attempts`.
   */
  authenticate (request: GuardedRequest): Principal
  /**
   * Whose token an `Authorization` header carries, also while the API needs none: for what else a token opens.
   * @param address The peer of the connection: its wrong tokens are counted.
   * @throws DockApiError `too_many_attempts`.
   */
  principalOf (authorization: string | undefined, address: string): Principal | undefined
  /** Whether a page of this origin may call the API, and so gets CORS headers. `host` is the request's `Host`. */
  isOriginAllowed (origin: string, host: string | undefined): boolean
  /** Whether the configuration names this origin. */
  isOriginConfigured (origin: string): boolean
  /** Whether an `Authorization` header is dockAPI's own, valid or not, which no container may see. */
  isOwnToken (authorization: string | undefined): boolean
}

const FOREIGN_SITES = new Set<unknown>(['cross-site', 'same-site'])

type GuardConfig = Pick<Config, 'host' | 'auth' | 'token' | 'allowedHosts' | 'corsOrigins'>

/** Who may call the API (DESIGN section 7). Decides on the head of a request alone, before anything is read or dialled. */
export function createGuard (config: GuardConfig, tokens: Tokens, tickets: Tickets): Guard {
  const isHostAllowed = createHostRule(config)
  const isOriginConfigured = createConfiguredOrigins(config.corsOrigins)
  const isOriginAllowed = createOriginRule(isOriginConfigured)
  const attempts = createAttempts()
  const staticDigest = config.token === undefined ? undefined : digest(config.token)

  function isStaticToken (token: string): boolean {
    return staticDigest !== undefined && isSameDigest(digest(token), staticDigest)
  }

  function isRequired (): boolean {
    return isTokenRequired(config, tokens.exist)
  }

  /**
   * While an address has to wait, only tokens of the store still count from it: nobody guesses 190 random bits, and others may call
   * through the same proxy. DOCKAPI_TOKEN was thought up by somebody.
   */
  function identify ({ kind, secret }: Credential, address: string): Principal | undefined {
    const principal = kind === 'ticket' ? tickets.redeem(secret) : isStaticToken(secret) ? OWNER : tokens.verify(secret)
    if (principal?.tokenId !== undefined) return principal
    const seconds = attempts.secondsToWait(address)
    if (seconds > 0) throw new DockApiError('too_many_attempts', 'Too many wrong tokens came from this address.', { retryAfterSeconds: seconds })
    if (principal === undefined) attempts.note(address)
    return principal
  }

  function identityOf (request: GuardedRequest): Principal | undefined {
    const credential = request.identity === undefined ? credentialOf(request) : undefined
    request.identity ??= { principal: credential === undefined ? undefined : identify(credential, request.address) }
    return request.identity.principal
  }

  function checkHost (request: GuardedRequest): void {
    const { headers, isPublic } = request
    if (isHostAllowed(headers.host)) return
    // A re-pointed page cannot know a token; and what is public on an open port stays so under any name (health checks).
    if (isRequired() && ((isPublic && !isLoopback(config.host)) || identityOf(request) !== undefined)) return
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

  return {
    checkSource (request) {
      checkHost(request)
      if (!request.isProxied) checkPage(request)
    },
    authenticate (request) {
      if (request.isPublic) return isRequired() ? NOBODY : OPEN
      // An application has parameters of its own: there only what is a token of ours counts.
      const hasToken = hasTokenInUrl(request.url, request.isProxied ? (value) => isTokenShaped(value) || isStaticToken(value) : undefined)
      if (hasToken) throw new DockApiError('token_in_url', 'A token does not belong into the URL.')
      if (!isRequired()) return OPEN
      const principal = identityOf(request)
      if (principal !== undefined) return principal
      throw new DockApiError('unauthorized', credentialOf(request) === undefined ? 'This API wants a token.' : 'The token is not valid.')
    },
    principalOf (authorization, address) {
      const token = bearerOf(authorization)
      return token === undefined ? undefined : identify({ kind: 'token', secret: token }, address)
    },
    isOriginAllowed,
    isOriginConfigured,
    isOwnToken: createOwnTest(isStaticToken)
  }
}

/** Somebody follows a link to here: nothing changes on GET, and the page that holds the link cannot read the answer. */
function isVisit (method: string, headers: IncomingHttpHeaders): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
}
