import type { IncomingHttpHeaders } from 'node:http'
import { bearerOf, isTicketShaped, isTokenShaped } from './secret.ts'
import { ticketInUrl } from './url.ts'

/** What a request shows of who it is from. */
export type Credential = { kind: 'token' | 'ticket', secret: string }

/** The subprotocols that a WebSocket client offers (RFC 6455 section 4.1). */
export function offeredProtocols (header: string | undefined): string[] {
  return header === undefined ? [] : header.split(',').map((protocol) => protocol.trim())
}

/**
 * The credential of a request: of the Authorization header, else a ticket, which only a `GET` may use. An Authorization of
 * another scheme is none of ours.
 */
export function credentialOf ({ method, url, headers }: { method: string, url: string, headers: IncomingHttpHeaders }): Credential | undefined {
  const token = bearerOf(headers.authorization)
  if (token !== undefined) return { kind: 'token', secret: token }
  if (method !== 'GET') return undefined
  const ticket = ticketInUrl(url) ?? offeredProtocols(headers['sec-websocket-protocol']).find(isTicketShaped)
  return ticket === undefined ? undefined : { kind: 'ticket', secret: ticket }
}

/** A test for values of `Authorization` that are dockAPI's own, valid or not, and so no container's business. */
export function createOwnTest (isStaticToken: (token: string) => boolean): (authorization: string | undefined) => boolean {
  return (authorization) => {
    const token = bearerOf(authorization)
    return token !== undefined && (isTokenShaped(token) || isTicketShaped(token) || isStaticToken(token))
  }
}
