import type { IncomingMessage } from 'node:http'
import { isUpgradable } from './upgrades.ts'

/** `/proxy/{id}/...` or `/proxy/{id}:{port}/...` as it stands in a request. */
export type ProxyUrl = {
  /** Full id, prefix of it, or name. */
  reference: string
  /** The container's port that was asked for. */
  port: number | undefined
  /** The part before the container's own path, as the client wrote it, without a slash at the end. */
  prefix: string
}

// The names that Docker gives (moby `daemon/names`), nothing decoded: whatever else stands there is no container.
const PROXY_URL = /^\/proxy\/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})(?::([1-9]\d{0,4}))?(?=\/)/

/** Reads the raw request target. `undefined` when it names no container in this form. */
export function parseProxyUrl (rawUrl: string): ProxyUrl | undefined {
  const match = PROXY_URL.exec(rawUrl)
  if (match === null) return undefined
  const [prefix, reference, digits] = match
  const port = digits === undefined ? undefined : Number(digits)
  if (port !== undefined && port > 65535) return undefined
  return { reference: reference!, port, prefix }
}

/**
 * What the router sees of a request target. Of a proxied one only the container: the rest is the application's, and a router would
 * decode, normalise or refuse it.
 */
export function routerUrl (request: { url?: string | undefined }): string {
  const rawUrl = request.url ?? '/'
  const proxied = parseProxyUrl(rawUrl)
  return proxied === undefined ? rawUrl : `${proxied.prefix}/`
}

/** Whether a request with an Upgrade header may switch protocols: only towards a container. */
export function isProxyUpgrade (request: IncomingMessage): boolean {
  return isUpgradable(request) && parseProxyUrl(request.url ?? '') !== undefined
}
