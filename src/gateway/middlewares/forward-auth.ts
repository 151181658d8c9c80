import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { createDeadline } from '../../engine/deadline.ts'
import { DockApiError, invalidField } from '../../errors.ts'
import { plainName, removeHeader, setHeader } from '../../forward/header-list.ts'
import type { HeaderList } from '../../forward/header-list.ts'
import { publicAuthorityOf, requestHeaders } from '../../forward/request-headers.ts'
import { UpstreamFailure } from '../../forward/upstream-failure.ts'
import { ask } from './ask.ts'
import type { Reply } from './ask.ts'
import type { MiddlewareContext } from './context.ts'
import { isReserved } from './header-rules.ts'
import type { Pass, Passage } from './passage.ts'
import { compilePattern } from './pattern.ts'
import type { Pattern } from './pattern.ts'

const MAX_BODY_BYTES = 1024 ** 2

export function createForwardAuth (settings: NonNullable<Definition['forward_auth']>, { dispatcher, name, resolveAuth, authTimeoutMs }: MiddlewareContext): Pass {
  const address = parseAddress(settings.address)
  const wanted = settings.auth_response_headers ?? []
  const pattern = settings.auth_response_headers_regex === undefined ? undefined : compilePattern(settings.auth_response_headers_regex, '/forward_auth/auth_response_headers_regex')
  const cookies = new Set(settings.add_auth_cookies_to_response)
  const sent = settings.auth_request_headers === undefined ? undefined : new Set(settings.auth_request_headers.map((name) => name.toLowerCase()))
  const maxBytes = settings.max_response_body_size ?? MAX_BODY_BYTES

  return async (passage) => {
    const reply = await inquire(passage)
    if (reply.status < 200 || reply.status > 299) return await passage.answer(reply.status, reply.headers, reply.body)
    copyHeaders(passage, reply.headers)
    if (cookies.size > 0) addCookies(passage, reply.headers)
    return true
  }

  async function inquire (passage: Passage): Promise<Reply> {
    const deadline = createDeadline(authTimeoutMs, passage.signal)
    try {
      const upstream = await deadline.race(resolveAuth(address, name, deadline.signal))
      if (upstream === undefined) throw new DockApiError('auth_server_failed', `The server that decides who may pass is not to be reached at "${address.host}".`)
      return await ask(dispatcher, { upstream, path: address.pathname + address.search, headers: questionHeaders(passage) }, { maxBytes, signal: deadline.signal })
    } catch (error) {
      const isLate = deadline.isOver() || (error instanceof UpstreamFailure && (error.kind === 'answer-timeout' || error.kind === 'connect-timeout'))
      if (!isLate && !(error instanceof UpstreamFailure)) throw error
      throw new DockApiError(isLate ? 'auth_server_timeout' : 'auth_server_failed', isLate ? 'The server that decides who may pass did not answer in time.' : 'The server that decides who may pass failed.', { cause: error })
    } finally {
      deadline.lift()
    }
  }

  function questionHeaders ({ request, askedTarget, stripAuthorization, scheme }: Passage): HeaderList {
    const mount = { prefix: '', publicAuthority: publicAuthorityOf(request), upstreamAuthority: '', addedPolicy: undefined }
    const all = requestHeaders(request, { mount, stripAuthorization, isUpgrade: false })
    const headers = sent === undefined ? all : keep(all, (lower) => sent.has(lower) || lower.startsWith('x-forwarded-') || lower === 'via')
    removeHeader(headers, 'host')
    headers.unshift('Host', address.host)
    setHeader(headers, 'X-Forwarded-Proto', scheme)
    headers.push('X-Forwarded-Method', request.method!, 'X-Forwarded-Uri', askedTarget)
    return headers
  }

  /** The application hears these from the auth server, or not at all. */
  function copyHeaders (passage: Passage, reply: HeaderList) {
    for (const name of wanted) copy(passage, name, reply)
    if (pattern === undefined) return
    for (const name of namesThatFit([...passage.request.rawHeaders, ...reply], pattern)) copy(passage, name, reply)
  }

  function addCookies ({ onAnswer }: Passage, reply: HeaderList) {
    const lines = valuesOf(reply, 'set-cookie').filter((line) => cookies.has(cookieName(line)))
    if (lines.length === 0) return
    onAnswer(({ headers }) => {
      const own = valuesOf(headers, 'set-cookie').filter((line) => !cookies.has(cookieName(line)))
      setHeader(headers, 'Set-Cookie', ...own, ...lines)
    })
  }
}

/** @throws DockApiError `invalid_request`. */
function parseAddress (text: string): URL {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) throw invalidField('body', '/forward_auth/address', 'must be an http or https URL')
  if (url.username + url.password !== '') throw invalidField('body', '/forward_auth/address', 'must not have a name or a password in it')
  return url
}

function copy ({ requestEdits }: Passage, name: string, reply: HeaderList) {
  if (isReserved(name) || name.toLowerCase() === 'host') return
  requestEdits.push({ name, values: valuesOf(reply, name.toLowerCase()) })
}

function namesThatFit (headers: HeaderList, pattern: Pattern): Set<string> {
  const names = new Set<string>()
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!
    if (pattern.isIn(name) || pattern.isIn(plainName(name))) names.add(plainName(name.toLowerCase()))
  }
  return names
}

function valuesOf (headers: readonly string[], lower: string): string[] {
  return headers.filter((_, index) => index % 2 === 1 && headers[index - 1]!.toLowerCase() === lower)
}

function keep (headers: HeaderList, isKept: (lower: string) => boolean): HeaderList {
  return headers.filter((_, index) => isKept(headers[index - index % 2]!.toLowerCase()))
}

function cookieName (line: string): string {
  return line.split('=', 1)[0]!.trim()
}
