import { isLoopback } from '../config/loopback.ts'
import { hostNameOf } from './host.ts'

export type OriginRule = (origin: string, host: string | undefined) => boolean

/**
 * Which pages may call the API: loopback pages, its own pages (`host` is the request's `Host`), and the configured origins.
 * `null`, the origin of sandboxed pages and of `file:` documents, is nobody's. Containers' own pages at `*.localhost` are not loopback pages.
 */
export function createOriginRule (isConfigured: (origin: string) => boolean): OriginRule {
  return (text, host) => {
    const origin = parseOrigin(text)
    if (origin === undefined) return false
    return isConfigured(origin.origin) || origin.host === host?.toLowerCase() || isLoopback(hostNameOf(origin.host)!)
  }
}

/** The origins that the configuration names, written in any way that means the same. */
export function createConfiguredOrigins (corsOrigins: readonly string[]): (origin: string) => boolean {
  const configured = new Set(corsOrigins.map((origin) => URL.parse(origin)?.origin))
  return (origin) => configured.has(origin)
}

/** The port of a loopback page that is not the API's own; `undefined` for every other origin. */
export function pageFromPublishedPort (text: string | undefined, host: string | undefined): number | undefined {
  const origin = text === undefined ? undefined : parseOrigin(text)
  if (origin === undefined || origin.host === host?.toLowerCase() || !isLoopback(hostNameOf(origin.host)!)) return undefined
  return Number(origin.port || (origin.protocol === 'https:' ? 443 : 80))
}

function parseOrigin (text: string): URL | undefined {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  // An origin is scheme, host and port; a URL with more was not written by a browser.
  return url.origin === text ? url : undefined
}
