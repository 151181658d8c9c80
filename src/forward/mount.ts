import { originOf } from './upstream.ts'
import type { Upstream } from './upstream.ts'

/** Where a client finds an upstream. */
export type Mount = {
  /** The path under which the upstream's root is seen, without a slash at the end; `''` when the upstream has an origin of its own. */
  prefix: string
  /** `host[:port]` that the client used. */
  publicAuthority: string
  /** `host:port` that is dialled. */
  upstreamAuthority: string
  /** A `Content-Security-Policy` that every answer carries beside the application's own. */
  addedPolicy: string | undefined
}

/** The authority of an upstream as its `Host` header says it; a default port is left out. */
export function authorityOf (upstream: Upstream): string {
  const authority = originOf(upstream).slice(upstream.scheme.length + 3)
  const defaultPort = upstream.scheme === 'https' ? ':443' : ':80'
  return authority.endsWith(defaultPort) ? authority.slice(0, -defaultPort.length) : authority
}

/**
 * A reference that points at the upstream's root, as the client has to write it: `/login`, or an absolute one with the upstream's
 * or the client's own authority. Relative ones, other hosts and what is under the prefix already stay as they are.
 */
export function mountUrl (url: string, mount: Mount): string {
  if (url.startsWith('/') && !url.startsWith('//')) return mountPath(url, mount.prefix)
  const absolute = /^((?:https?:)?\/\/)([^/?#]*)(.*)$/is.exec(url)
  if (absolute === null) return url
  const [, start, authority, rest] = absolute
  const lower = authority!.toLowerCase()
  const path = rest!.startsWith('/') ? rest! : `/${rest}`
  if (lower === mount.upstreamAuthority) return mountPath(path, mount.prefix)
  if (lower === mount.publicAuthority.toLowerCase()) return `${start}${authority}${mountPath(path, mount.prefix)}`
  return url
}

/** An absolute path of the upstream under the prefix; applications that read `X-Forwarded-Prefix` have put it there themselves. */
export function mountPath (path: string, prefix: string): string {
  const isMounted = path === prefix || path.startsWith(`${prefix}/`) || path.startsWith(`${prefix}?`)
  return isMounted ? path : prefix + path
}

/** `Refresh: 5; url=/next`. */
export function mountRefresh (value: string, mount: Mount): string {
  const refresh = /^(\s*[\d.]+\s*[;,]\s*url\s*=\s*["']?)(.*)$/is.exec(value)
  return refresh === null ? value : refresh[1] + mountUrl(refresh[2]!, mount)
}

/**
 * One `Set-Cookie` line for the client: its path under the prefix, so that no other container is sent it, and without Domain, which
 * names no host of the client's (RFC 6265 5.2.3). Name and value are not touched.
 */
export function mountCookie (line: string, { prefix }: Mount): string {
  const [pair, ...attributes] = line.split(';')
  const kept = attributes.filter((attribute) => nameOf(attribute) !== 'domain').map((attribute) => {
    if (nameOf(attribute) !== 'path') return attribute
    const path = attribute.slice(attribute.indexOf('=') + 1).trim()
    return path.startsWith('/') ? ` Path=${mountPath(path, prefix)}` : attribute
  })
  return [pair, ...kept].join(';')
}

function nameOf (attribute: string): string {
  return attribute.split('=', 1)[0]!.trim().toLowerCase()
}
