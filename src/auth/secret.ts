import { hash, randomBytes, timingSafeEqual } from 'node:crypto'

/** What every token of the store begins with, so that it is known when it turns up where it should not (logs, containers, public code). */
const PREFIX = 'dockapi_'
const TICKET_PREFIX = 'dockapi.ticket.'
/** 32 random bytes as base64url. */
const SECRET = '[A-Za-z0-9_-]{43}'
const TOKEN = new RegExp(`^${PREFIX}${SECRET}$`)
const TICKET = new RegExp(`^dockapi\\.ticket\\.${SECRET}$`)
/** The first 66 of the 256 bits find the token; 190 are left to guess. */
const ID_LENGTH = 11

/** The part of a token that may be shown. */
export function idOfToken (token: string): string {
  return token.slice(PREFIX.length, PREFIX.length + ID_LENGTH)
}

export function createToken (): string {
  return PREFIX + randomBytes(32).toString('base64url')
}

export function createTicket (): string {
  return TICKET_PREFIX + randomBytes(32).toString('base64url')
}

/** Whether a text has the form of a token of the store, valid or not. */
export function isTokenShaped (text: string): boolean {
  return text.startsWith(PREFIX) && TOKEN.test(text)
}

export function isTicketShaped (text: string): boolean {
  return text.startsWith(TICKET_PREFIX) && TICKET.test(text)
}

/** What is kept in place of a secret. One round is enough: these secrets are random, so there is nothing to try out. */
export function digest (secret: string): Buffer {
  return hash('sha256', secret, 'buffer')
}

/** Compares digests: neither the length of a secret nor a matching beginning shows in the time. */
export function isSameDigest (one: Uint8Array, other: Uint8Array): boolean {
  return timingSafeEqual(one, other)
}

/** The credential of an `Authorization: Bearer` header (RFC 6750 section 2.1). */
export function bearerOf (authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : /^bearer +(\S+) *$/i.exec(authorization)?.[1]
}
