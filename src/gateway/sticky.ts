import { createHmac } from 'node:crypto'
import type { Sticky } from '../../schemas/services.ts'

/** 128 bits: nobody guesses the value of an upstream that he was not given. */
const VALUE_BYTES = 16
const NAME_BYTES = 5

/** What a cookie says in place of an upstream: only who has the secret can make it, and nothing of the upstream can be read from it. */
export function stickyValue (secret: Buffer, serviceKey: string, memberKey: string): string {
  return createHmac('sha256', secret).update(`upstream\n${serviceKey}\n${memberKey}`).digest().subarray(0, VALUE_BYTES).toString('base64url')
}

/** The name of a service's cookie that was given none. */
export function stickyName (secret: Buffer, serviceKey: string): string {
  return `dockapi_${createHmac('sha256', secret).update(`name\n${serviceKey}`).digest().subarray(0, NAME_BYTES).toString('hex')}`
}

/** The line of a `Set-Cookie` header (RFC 6265 4.1). `SameSite=None` brings `Secure` along: browsers refuse it otherwise. */
export function stickyCookie (name: string, value: string, { secure, http_only: httpOnly, same_site: sameSite, max_age: maxAge, path }: Sticky): string {
  let line = `${name}=${value}; Path=${path ?? '/'}`
  if (maxAge !== undefined) line += `; Max-Age=${maxAge}`
  if (sameSite !== undefined) line += `; SameSite=${SAME_SITE[sameSite]}`
  if (secure === true || sameSite === 'none') line += '; Secure'
  return httpOnly === false ? line : `${line}; HttpOnly`
}

const SAME_SITE = { none: 'None', lax: 'Lax', strict: 'Strict' } as const

/** The first value of a name in a `Cookie` header (RFC 6265 4.2). */
export function cookieValue (header: string, name: string): string | undefined {
  for (let start = 0; start < header.length;) {
    const semicolon = header.indexOf(';', start)
    const end = semicolon === -1 ? header.length : semicolon
    while (header[start] === ' ') start++
    if (header.startsWith(name, start) && header[start + name.length] === '=') return header.slice(start + name.length + 1, end).trim()
    start = end + 1
  }
  return undefined
}
