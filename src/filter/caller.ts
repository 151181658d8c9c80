import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isLoopback } from '../config/loopback.ts'
import { hostNameOf } from '../guard/host.ts'

export type Refusal = { status: 400 | 403, message: string }

/** Browsers send one of these with what a page asks of another origin, unless it can neither change nor read anything. */
const BROWSER_HEADERS = ['origin', 'sec-fetch-site'] as const

/**
 * Refuses what no client of an engine sends: the requests of web pages, for the filter has no tokens, and those whose host was re-pointed here (DNS rebinding).
 * @returns Undefined when nothing is wrong.
 */
export function refuseCaller ({ headers, rawHeaders }: IncomingMessage, allowedHosts: readonly string[]): Refusal | undefined {
  if (countOf('host', rawHeaders) > 1) return { status: 400, message: 'The request has more than one Host.' }
  if (BROWSER_HEADERS.some((name) => headers[name] !== undefined)) return { status: 403, message: "dockAPI's filter does not answer web pages." }
  if (headers.host !== undefined && !isKnownHost(headers.host, allowedHosts)) {
    return { status: 403, message: `dockAPI's filter does not answer at the host ${JSON.stringify(headers.host.slice(0, 100))}. Use an address or a name without dots, or add it to DOCKAPI_ALLOWED_HOSTS.` }
  }
  return undefined
}

/** Whether what follows the head makes it more than a question: a body, or a connection that is to be taken over. */
export function refuseMore ({ headers }: IncomingMessage): Refusal | undefined {
  if (headers.upgrade !== undefined) return { status: 403, message: "dockAPI's filter never opens a connection both ways." }
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0') return { status: 403, message: "dockAPI's filter takes no body." }
  return undefined
}

/** An address cannot be re-pointed, and nobody outside owns a name without dots, as compose services have, or one below `.internal`. */
function isKnownHost (header: string, allowedHosts: readonly string[]): boolean {
  const name = hostNameOf(header)
  if (name === undefined) return false
  return isLoopback(name) || isIP(name) !== 0 || !name.includes('.') || name.endsWith('.internal') || allowedHosts.some((allowed) => allowed.toLowerCase() === name)
}

function countOf (wanted: string, rawHeaders: readonly string[]): number {
  return rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === wanted).length
}
