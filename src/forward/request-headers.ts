import type { IncomingMessage } from 'node:http'
import { offeredProtocols } from '../auth/credentials.ts'
import { isTicketShaped } from '../auth/secret.ts'
import { DockApiError } from '../errors.ts'
import { nominated } from './hop-by-hop.ts'
import type { Mount } from './mount.ts'
import { appendVia, refuseLoop } from './via.ts'

export type RequestHeaderOptions = {
  mount: Mount
  /** Leaves out the client's Authorization: it was meant for dockAPI. */
  stripAuthorization: boolean
  /** Asks the upstream to switch to the protocol that the client names. */
  isUpgrade: boolean
}

type Rule = 'drop' | 'host' | 'authorization' | 'cookie' | 'te' | 'protocol'

/** What does not pass as it is. Every `x-forwarded-*` is dropped too: a client may not speak for the proxy. */
const RULES = new Map<string, Rule>([
  ['host', 'host'],
  ['authorization', 'authorization'],
  ['cookie', 'cookie'],
  ['te', 'te'],
  ['sec-websocket-protocol', 'protocol'],
  // Hop-by-hop (RFC 9110 7.6.1) and what the transport writes itself.
  ['connection', 'drop'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authorization', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['trailer', 'drop'],
  ['transfer-encoding', 'drop'],
  ['content-length', 'drop'],
  ['upgrade', 'drop'],
  ['http2-settings', 'drop'],
  // Answered by the server that reads the request (RFC 9110 10.1.1).
  ['expect', 'drop'],
  // Set anew below.
  ['forwarded', 'drop'],
  ['via', 'drop'],
  ['x-real-ip', 'drop']
])
const FORWARDED = 'x-forwarded-'
// `host[:port]` (RFC 9112 3.2); a host of dots only is none.
const HOST = /^(?!\.*(?::|$))(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{0,5}))?$/

/**
 * The headers of a request on its way to an upstream: order, case and repeats kept, without what is meant for this hop or claims
 * to come from a proxy, with what this proxy states itself.
 * @throws DockApiError `invalid_request` for headers with two meanings, `proxy_loop`.
 */
export function requestHeaders (request: IncomingMessage, { mount, stripAuthorization, isUpgrade }: RequestHeaderOptions): string[] {
  const { rawHeaders, headers } = request
  const dropped = nominated(headers.connection)
  const result = ['Host', hostFor(mount)]
  const seen = { host: 0, authorization: 0 }
  let cookie = -1
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const value = rawHeaders[index + 1]!
    const lower = name.toLowerCase()
    const rule = RULES.get(lower)
    if (rule === 'host') seen.host++
    if (rule === 'authorization') seen.authorization++
    if (rule === 'drop' || rule === 'host' || dropped?.has(lower) === true || isForged(lower)) continue
    if (rule === undefined) result.push(name, value)
    else if (rule === 'te' && /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value)) result.push(name, 'trailers')
    else if (rule === 'authorization' && !stripAuthorization) result.push(name, value)
    else if (rule === 'protocol') pushProtocols(result, name, value)
    else if (rule === 'cookie' && cookie === -1) cookie = result.push(name, value) - 1
    else if (rule === 'cookie') result[cookie] += `; ${value}`
  }
  if (seen.host > 1) throw ambiguous('Host')
  if (seen.authorization > 1) throw ambiguous('Authorization')
  if (isUpgrade) result.push('Connection', 'Upgrade', 'Upgrade', headers.upgrade ?? '')
  pushForwarded(result, request, mount)
  refuseLoop(headers.via)
  result.push('Via', appendVia(dropped?.has('via') === true ? undefined : headers.via, request.httpVersion))
  return result
}

/** The authority that the client used. @throws DockApiError `invalid_request`. */
export function publicAuthorityOf ({ headers, httpVersion }: IncomingMessage): string {
  const { host } = headers
  if (host === undefined || host === '') {
    if (httpVersion === '1.0') return ''
    throw invalidHost()
  }
  const match = HOST.exec(host)
  if (match === null || Number(match[1] ?? 0) > 65535) throw invalidHost()
  return host
}

/** An application with an origin of its own is called by its public name: it builds links and checks origins with it. */
function hostFor ({ prefix, publicAuthority, upstreamAuthority }: Mount): string {
  return prefix === '' && publicAuthority !== '' ? publicAuthority : upstreamAuthority
}

/** Names that say who the client is, also spelled with `_`, which CGI-like servers cannot tell from `-`. */
function isForged (lower: string): boolean {
  if (lower.startsWith(FORWARDED)) return true
  if (!lower.includes('_')) return false
  const alias = lower.replaceAll('_', '-')
  return alias.startsWith(FORWARDED) || RULES.has(alias)
}

/** A ticket among the offered subprotocols is dockAPI's own. */
function pushProtocols (result: string[], name: string, value: string) {
  const offered = offeredProtocols(value)
  const kept = offered.filter((protocol) => !isTicketShaped(protocol))
  if (kept.length === offered.length) result.push(name, value)
  else if (kept.length > 0) result.push(name, kept.join(', '))
}

function pushForwarded (result: string[], { socket }: IncomingMessage, { prefix, publicAuthority }: Mount) {
  const client = clientAddress(socket.remoteAddress)
  const proto = 'encrypted' in socket ? 'https' : 'http'
  result.push('X-Forwarded-For', client, 'X-Forwarded-Proto', proto)
  if (publicAuthority !== '') result.push('X-Forwarded-Host', publicAuthority)
  if (prefix !== '') result.push('X-Forwarded-Prefix', prefix)
  // RFC 7239: an IPv6 address and whatever has a colon are quoted strings.
  const node = client.includes(':') ? `"[${client}]"` : client
  const host = publicAuthority === '' ? '' : `;host="${publicAuthority}"`
  result.push('Forwarded', `for=${node}${host};proto=${proto}`)
}

/** The peer of the connection, never what a header says; IPv4 as IPv4 also on a dual-stack socket. */
function clientAddress (address: string | undefined): string {
  if (address === undefined) throw new DockApiError('client_gone', 'The client went away.')
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

function ambiguous (name: string): DockApiError {
  return new DockApiError('invalid_request', `The request has more than one ${name} header.`, { hint: `Send one ${name} header.`, fields: [{ where: 'header', pointer: `/${name.toLowerCase()}`, message: 'is there more than once' }] })
}

function invalidHost (): DockApiError {
  return new DockApiError('invalid_request', 'The Host header is missing or names no host.', { hint: 'Send Host: name or Host: name:port.', fields: [{ where: 'header', pointer: '/host', message: 'must be a host name and optionally a port' }] })
}
