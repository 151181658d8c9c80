import { isTicketShaped, isTokenShaped } from './secret.ts'

/** Parameters under which clients send tokens (RFC 6750 section 2.3 among them). */
const TOKEN_PARAMETERS = new Set(['token', 'access_token'])
const TICKET_PARAMETER = 'ticket'
/** What a caller gives a command or a build, in a handshake that has no body: people put secrets there. */
const PRIVATE_PARAMETERS = new Set([...TOKEN_PARAMETERS, TICKET_PARAMETER, 'command', 'env', 'build_arg'])
const PROXIED = /^\/proxy\/[^/?]+\//
const REDACTED = '[redacted]'

/** The ticket of ours that a request target carries. */
export function ticketInUrl (url: string): string | undefined {
  return url.includes(`${TICKET_PARAMETER}=`) ? pairsOf(url).find(isTicket)?.value : undefined
}

/**
 * Whether a request target carries a token.
 * @param isOwn Whether a value is a token of ours, where parameters of these names may be an application's; undefined where there are no others.
 */
export function hasTokenInUrl (url: string, isOwn?: (value: string) => boolean): boolean {
  return url.includes('=') && pairsOf(url).some(({ name, value }) => isOwn === undefined ? TOKEN_PARAMETERS.has(name) : isOwn(value))
}

/** The request target without a ticket of ours; everything else byte for byte. */
export function withoutTicket (url: string): string {
  if (ticketInUrl(url) === undefined) return url
  const kept = pairsOf(url).filter((pair) => !isTicket(pair)).map(({ text }) => text)
  const path = url.slice(0, url.indexOf('?'))
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}

/** The request target as it may be logged; of an application's nothing is known of its query, so it is left out. */
export function redactUrl (url: string): string {
  if (!url.includes('?')) return url
  if (PROXIED.test(url)) return `${url.slice(0, url.indexOf('?') + 1)}${REDACTED}`
  const isSecret = ({ name, value }: Pair) => PRIVATE_PARAMETERS.has(name) || isTokenShaped(value)
  const shown = pairsOf(url).map((pair) => isSecret(pair) ? `${pair.name}=${REDACTED}` : pair.text)
  return `${url.slice(0, url.indexOf('?') + 1)}${shown.join('&')}`
}

type Pair = { text: string, name: string, value: string }

function pairsOf (url: string): Pair[] {
  const start = url.indexOf('?')
  if (start === -1) return []
  return url.slice(start + 1).split('&').map((text) => {
    const separator = text.indexOf('=')
    return { text, name: decode(separator === -1 ? text : text.slice(0, separator)), value: separator === -1 ? '' : decode(text.slice(separator + 1)) }
  })
}

function isTicket ({ name, value }: Pair): boolean {
  return name === TICKET_PARAMETER && isTicketShaped(value)
}

function decode (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
