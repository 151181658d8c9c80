import type { IncomingMessage } from 'node:http'
import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { addToList, removeHeader, setHeader } from '../../forward/header-list.ts'
import type { HeaderList } from '../../forward/header-list.ts'
import { checkResponseHeader } from './header-rules.ts'
import { compilePattern } from './pattern.ts'

/** Which pages of other origins may read answers (Fetch, "CORS protocol"). */
export type Cors = {
  /** The headers that answer a preflight request; undefined for other requests. */
  preflight (request: IncomingMessage): HeaderList | undefined
  /** Says on an answer who may read it, in place of what the application says. */
  allow (origin: string | undefined, headers: HeaderList): void
}

/** @returns undefined when nothing about origins is set. */
export function createCors (settings: NonNullable<Definition['headers']>): Cors | undefined {
  const origins = settings.access_control_allow_origin_list ?? []
  const patterns = (settings.access_control_allow_origin_list_regex ?? []).map((each, index) => compilePattern(each, `/headers/access_control_allow_origin_list_regex/${index}`))
  const isForAll = origins.includes('*')
  const known = new Set(origins.map((origin) => origin.toLowerCase().replace(/\/$/, '')))
  const methods = settings.access_control_allow_methods?.join(', ')
  const names = settings.access_control_allow_headers?.join(', ')
  const exposed = settings.access_control_expose_headers?.join(', ')
  const maxAge = settings.access_control_max_age
  if (origins.length === 0 && patterns.length === 0 && methods === undefined && names === undefined && exposed === undefined) return undefined
  for (const list of [methods, names, exposed]) checkResponseHeader('Access-Control', list ?? '', '/headers')

  /** The whole origin has to fit a pattern: one without an end would let `https://good.example.evil.example` in. */
  function allowed (origin: string | undefined): string | undefined {
    if (origin === undefined) return isForAll ? '*' : undefined
    if (known.has(origin.toLowerCase()) || patterns.some((pattern) => pattern.isAll(origin))) return origin
    return isForAll ? '*' : undefined
  }

  function allow (origin: string | undefined, headers: HeaderList) {
    if (origins.length === 0 && patterns.length === 0) return
    const value = allowed(origin)
    removeHeader(headers, 'Access-Control-Allow-Credentials')
    if (value === undefined) removeHeader(headers, 'Access-Control-Allow-Origin')
    else {
      setHeader(headers, 'Access-Control-Allow-Origin', value)
      if (exposed !== undefined) setHeader(headers, 'Access-Control-Expose-Headers', exposed)
      if (settings.access_control_allow_credentials === true && value !== '*') setHeader(headers, 'Access-Control-Allow-Credentials', 'true')
    }
    if (!isForAll || known.size > 1 || patterns.length > 0) addToList(headers, 'Vary', 'Origin')
  }

  function preflight ({ method, headers }: IncomingMessage): HeaderList | undefined {
    if (method !== 'OPTIONS' || headers.origin === undefined || headers['access-control-request-method'] === undefined) return undefined
    const answer: HeaderList = []
    if (allowed(headers.origin) === undefined) return answer
    if (methods !== undefined) answer.push('Access-Control-Allow-Methods', methods)
    if (names !== undefined) answer.push('Access-Control-Allow-Headers', names)
    if (maxAge !== undefined) answer.push('Access-Control-Max-Age', String(maxAge))
    return answer
  }

  return { preflight, allow }
}
