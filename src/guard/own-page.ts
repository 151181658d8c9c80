import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a request that changes something comes from the API's own page, or from no browser at all. Only then may its body be of a type that any page can
 * send without asking first (Fetch section 2.2.2, CORS-safelisted). A browser names the origin with every POST (Fetch section 3.2) and the site wherever it may be
 * trusted; a page can leave out neither. Node's own `fetch` sends `Sec-Fetch-Mode`, and neither of these.
 */
export function isOwnPageOrProgram ({ origin, host, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined) return site === 'same-origin'
  if (origin === undefined) return true
  const own = URL.parse(origin)?.host
  return own !== undefined && own === host?.toLowerCase()
}
