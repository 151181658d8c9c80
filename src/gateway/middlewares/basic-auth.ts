import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { DockApiError, invalidField } from '../../errors.ts'
import type { MiddlewareContext } from './context.ts'
import { checkRequestHeader } from './header-rules.ts'
import type { Pass } from './passage.ts'
import { problemOfHash } from './password-hash.ts'
import { networkOf } from '../../auth/network.ts'

type Credentials = { user: string, password: string }

export function createBasicAuth (settings: NonNullable<Definition['basic_auth']>, { passwords }: MiddlewareContext): Pass {
  const { realm = 'dockapi', remove_header: isRemoved = false, header_field: field } = settings
  const users = parseUsers(settings.users ?? [])
  const [decoy] = users.values()
  if (decoy === undefined) throw invalidField('body', '/basic_auth/users', 'is needed: without users nobody could pass')
  if (field !== undefined) checkRequestHeader(field, 'x', '/basic_auth/header_field')
  const challenge = `Basic realm="${realm.replaceAll(/[^\x20-\x7e]|["\\]/g, '')}", charset="UTF-8"`

  return async (passage) => {
    const credentials = passage.stripAuthorization ? undefined : parseCredentials(passage.request.headers.authorization)
    const hash = users.get(credentials?.user ?? '')
    // An unknown user costs as much time as a known one, and so is not told from it.
    const isRight = credentials !== undefined && await passwords.check(networkOf(passage.clientAddress), credentials.password, hash ?? decoy)
    if (!isRight || hash === undefined) {
      passage.response.setHeader('WWW-Authenticate', challenge)
      throw new DockApiError('credentials_needed', credentials === undefined ? 'This route asks for a name and a password.' : 'The name or the password is wrong.')
    }
    if (isRemoved) passage.requestEdits.push({ name: 'Authorization', values: [] })
    if (field !== undefined) passage.requestEdits.push({ name: field, values: [asHeaderValue(credentials!.user)] })
    return true
  }
}

/** @throws DockApiError `invalid_request`, without the hash. */
function parseUsers (lines: readonly string[]): ReadonlyMap<string, string> {
  const users = new Map<string, string>()
  for (const [index, line] of lines.entries()) {
    const colon = line.indexOf(':')
    const problem = colon < 1 ? 'must be name:hash' : problemOfHash(line.slice(colon + 1).trim())
    if (problem !== undefined) throw invalidField('body', `/basic_auth/users/${index}`, problem, 'Make one with htpasswd -nB name.')
    users.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim())
  }
  return users
}

/** RFC 7617, UTF-8. */
function parseCredentials (header: string | undefined): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2})$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString()
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** UTF-8 as the bytes of a header. */
function asHeaderValue (text: string): string {
  return Buffer.from(text).toString('latin1')
}
