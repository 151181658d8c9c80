import { isLoopback } from '../config/loopback.ts'
import { hostNameOf } from './host.ts'

export type OriginRule = (origin: string, host: string | undefined) => boolean

/**
 * Which pages may call the API: loopback pages, its own pages (`host` is the request's `Host`), and the configured origins.
 * `null`, the origin of sandboxed pages and of `file:` documents, is nobody's. Containers' own pages at `*.localhost` are not loopback pages.
 */
export function createOriginRule ({ corsOrigins }: { corsOrigins: readonly string[] }): OriginRule {
  const configured = new Set(corsOrigins.map((origin) => URL.parse(origin)?.origin))
  return (text, host) => {
    const origin = parseOrigin(text)
    if (origin === undefined) return false
    return configured.has(origin.origin) || origin.host === host?.toLowerCase() || isLoopback(hostNameOf(origin.host)!)
  }
}

function parseOrigin (text: string): URL | undefined {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  // An origin is scheme, host and port; a URL with more was not written by a browser.
  return url.origin === text ? url : undefined
}
