import { isIP } from 'node:net'
import { isLoopback } from '../config/loopback.ts'

/** Listening on one of these means every address of the machine. */
const WILDCARDS = new Set(['0.0.0.0', '::'])

/** `name`, `name:port`, `1.2.3.4:port`, `[::1]:port` (RFC 9110 section 7.2); no user, path or second colon. */
const AUTHORITY = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@\\[\]]+))(?::\d{0,5})?$/i

export type HostRule = (header: string | undefined) => boolean

/**
 * Which `Host` the API answers to. A page whose DNS name was re-pointed at this machine ("DNS rebinding") is same-origin with
 * it for the browser; only its `Host` gives it away.
 */
export function createHostRule ({ host, allowedHosts }: { host: string, allowedHosts: readonly string[] }): HostRule {
  const isWildcard = WILDCARDS.has(host)
  const names = new Set(allowedHosts.map((name) => hostNameOf(name) ?? name.toLowerCase()))
  if (!isWildcard) names.add(host.toLowerCase())
  return (header) => {
    // Only HTTP/1.0 may leave it out, and no browser does.
    if (header === undefined) return true
    const name = hostNameOf(header)
    if (name === undefined) return false
    // An address cannot have been re-pointed; probes reach a server that listens everywhere by its address.
    return isLoopback(name) || names.has(name) || (isWildcard && isIP(name) !== 0)
  }
}

/** The name in a `Host` header: lower case, no port, no brackets, no trailing dot; `undefined` when it is malformed. */
export function hostNameOf (header: string): string | undefined {
  const match = AUTHORITY.exec(header)
  if (match === null) return undefined
  const [, ipv6, name] = match
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? ipv6.toLowerCase() : undefined
  return name!.toLowerCase().replace(/\.$/, '')
}
