import type { IncomingMessage } from 'node:http'
import { DockApiError } from '../errors.ts'
import { publicAuthorityOf } from '../forward/request-headers.ts'
import { hostNameOf } from '../guard/host.ts'
import type { RoutedRequest } from './rules/rule.ts'

/** In which people write what they ask the gateway for. */
const SCHEMES = new Set(['http', 'https', 'ws', 'wss'])

/** What a request asks for, as rules see it, and its target in origin-form. */
export type Asked = RoutedRequest & { readonly target: string }

/**
 * Reads host and target of a request. One in absolute form (RFC 9112 3.2.2) must name the same host twice: whatever reads only one of them
 * must not come to another container.
 * @throws DockApiError `invalid_request`.
 */
export function readAsked (request: IncomingMessage): Asked {
  const host = hostNameOf(publicAuthorityOf(request))
  if (host === undefined) throw new DockApiError('invalid_request', 'The Host header is missing or names no host.')
  const target = targetOf(request.url!, host)
  const mark = target.indexOf('?')
  return {
    method: request.method!,
    host,
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    headers: request.headers,
    clientAddress: peerOf(request),
    target
  }
}

/** The same for a URL that somebody asks about. @throws DockApiError `invalid_request`. */
export function askedOfUrl (text: string, method: string): Asked {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  const url = scheme === undefined ? URL.parse(`http://${text}`) : SCHEMES.has(scheme) ? URL.parse(text) : null
  const host = url === null ? undefined : hostNameOf(url.host)
  if (url === null || host === undefined) throw new DockApiError('invalid_request', `"${text}" is no URL of the gateway.`, { fields: [{ where: 'query', pointer: '/url', message: 'is no URL of HTTP' }], hint: 'Write it as a browser shows it: http://my-app.localhost:8080/path.' })
  return { method, host, path: url.pathname, query: url.search.slice(1), headers: {}, clientAddress: '127.0.0.1', target: url.pathname + url.search }
}

function targetOf (url: string, host: string): string {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(url)
  if (absolute === null) return url
  const [, authority, rest] = absolute
  if (hostNameOf(authority!) !== host) throw new DockApiError('invalid_request', 'The request line and the Host header name two hosts.')
  return rest!.startsWith('/') ? rest! : `/${rest}`
}

/** The peer of the connection, never what a header says; IPv4 as IPv4 also on a dual-stack socket. */
export function peerOf ({ socket: { remoteAddress: address = '' } }: IncomingMessage): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
