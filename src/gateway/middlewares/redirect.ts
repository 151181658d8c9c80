import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { DockApiError } from '../../errors.ts'
import { publicAuthorityOf } from '../../forward/request-headers.ts'
import type { Pass, Passage } from './passage.ts'
import { compilePattern, parseTemplate } from './pattern.ts'

const DEFAULT_PORTS = { http: 80, https: 443 }

export function createRedirectScheme ({ scheme, port, permanent = false }: NonNullable<Definition['redirect_scheme']>): Pass {
  const suffix = port === undefined || port === DEFAULT_PORTS[scheme] ? '' : `:${port}`
  return (passage) => {
    const authority = publicAuthorityOf(passage.request)
    const [, name, ownPort] = /^(.*?)(?::(\d*))?$/.exec(authority)!
    const isThere = passage.scheme === scheme && (port === undefined || Number(ownPort || DEFAULT_PORTS[scheme]) === port)
    return isThere || redirect(passage, `${scheme}://${name}${suffix}${passage.askedTarget}`, permanent)
  }
}

export function createRedirectRegex ({ regex, replacement, permanent = false }: NonNullable<Definition['redirect_regex']>): Pass {
  const pattern = compilePattern(regex, '/redirect_regex/regex')
  const template = parseTemplate(replacement)
  const mayNameUser = replacement.includes('@')
  return (passage) => {
    const url = `${passage.scheme}://${publicAuthorityOf(passage.request)}${passage.askedTarget}`
    const location = pattern.replaceIn(url, template)
    if (location === undefined || location === url) return true
    return redirect(passage, checkLocation(location, replacement, mayNameUser), permanent)
  }
}

/**
 * What a client put into its URL must not choose the host that it is sent to: no second slash makes a path an authority, and no `@` turns the intended host
 * into the name of a user.
 */
function checkLocation (location: string, replacement: string, mayNameUser: boolean): string {
  if (/^[/\\]{2}/.test(location) && !replacement.startsWith('//')) return location.replace(/^[/\\]+/, '/')
  const url = URL.parse(location, 'http://relative.invalid')
  if (url === null || (!mayNameUser && url.username + url.password !== '')) throw new DockApiError('invalid_request', 'This URL leads nowhere: what it is redirected to is no URL.')
  return location
}

function redirect (passage: Passage, location: string, isPermanent: boolean): Promise<false> {
  const isGet = passage.request.method === 'GET'
  const status = isPermanent ? (isGet ? 301 : 308) : (isGet ? 302 : 307)
  return passage.answer(status, ['Location', encodeLocation(location)])
}

/** Only what may stand in a URL (RFC 3986), so that it is one line of one header. */
function encodeLocation (location: string): string {
  return location.toWellFormed().replaceAll(/[\0-\x20"<>\\^`{|}\x7f-\u{10ffff}]/gu, (character) => encodeURIComponent(character))
}
