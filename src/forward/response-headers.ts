import { nominated } from './hop-by-hop.ts'
import { mountCookie, mountRefresh, mountUrl } from './mount.ts'
import type { Mount } from './mount.ts'
import type { ResponseHead } from './response-head.ts'
import { appendVia } from './via.ts'

type Rule = 'drop' | 'connection' | 'via' | 'length' | 'shared' | 'url' | 'refresh' | 'cookie'

const RULES = new Map<string, Rule>([
  ['connection', 'connection'],
  ['via', 'via'],
  ['content-length', 'length'],
  // Hop-by-hop (RFC 9110 7.6.1). Trailers are relayed without being announced.
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['transfer-encoding', 'drop'],
  ['upgrade', 'drop'],
  // They speak for a whole origin, which a mounted container shares with the API and all other containers.
  ['service-worker-allowed', 'shared'],
  ['clear-site-data', 'shared'],
  ['alt-svc', 'shared'],
  ['strict-transport-security', 'shared'],
  // They point at the container's root.
  ['location', 'url'],
  ['content-location', 'url'],
  ['refresh', 'refresh'],
  ['set-cookie', 'cookie']
])

/** Fields that mean nothing, or harm, after the body (RFC 9110 6.5.1). */
const NO_TRAILERS = new Set([
  'host', 'content-length', 'content-type', 'content-encoding', 'content-range', 'transfer-encoding', 'trailer', 'te', 'connection', 'keep-alive',
  'upgrade', 'authorization', 'www-authenticate', 'proxy-authorization', 'proxy-authenticate', 'set-cookie', 'location', 'cache-control',
  'expires', 'age', 'date', 'vary', 'via', 'clear-site-data', 'alt-svc', 'strict-transport-security', 'service-worker-allowed'
])

/** Statuses whose answers say no length: they have no body, or none that a length could describe (RFC 9110 8.6). */
function hasNoLength (status: number): boolean {
  return status < 200 || status === 204 || status === 205
}

/** The headers of an answer on its way to the client, order, case and repeats kept. Set-Cookie lines stay one each. */
export function responseHeaders ({ status, headers }: ResponseHead, mount: Mount): string[] {
  const result: string[] = []
  const isShared = mount.prefix !== ''
  const dropped = nominated(connectionOf(headers))
  let via: string | undefined
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!
    const value = headers[index + 1]!
    const lower = name.toLowerCase()
    const rule = RULES.get(lower)
    if (dropped?.has(lower) === true && lower !== 'content-length') continue
    if (rule === undefined) result.push(name, value)
    else if (rule === 'via') via = appendTo(via, value)
    else if (rule === 'length' && !hasNoLength(status)) result.push(name, value)
    else if (rule === 'shared' && !isShared) result.push(name, value)
    else if (rule === 'url') result.push(name, isShared ? mountUrl(value, mount) : value)
    else if (rule === 'refresh') result.push(name, isShared ? mountRefresh(value, mount) : value)
    else if (rule === 'cookie') result.push(name, isShared ? mountCookie(value, mount) : value)
  }
  if (status === 205) result.push('Content-Length', '0')
  if (mount.addedPolicy !== undefined && status !== 101) result.push('Content-Security-Policy', mount.addedPolicy)
  result.push('Via', appendVia(via, '1.1'))
  return result
}

/** The trailer fields that may pass. */
export function responseTrailers (trailers: readonly string[]): [name: string, value: string][] {
  const result: [string, string][] = []
  for (let index = 0; index < trailers.length; index += 2) {
    const name = trailers[index]!
    if (!NO_TRAILERS.has(name.toLowerCase())) result.push([name, trailers[index + 1]!])
  }
  return result
}

function connectionOf (headers: readonly string[]): string | undefined {
  let connection: string | undefined
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!
    if (name.length === 10 && name.toLowerCase() === 'connection') connection = appendTo(connection, headers[index + 1]!)
  }
  return connection?.toLowerCase()
}

function appendTo (list: string | undefined, value: string): string {
  return list === undefined ? value : `${list}, ${value}`
}
