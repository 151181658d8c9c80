import { STATUS_CODES } from 'node:http'
import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { createDeadline } from '../../engine/deadline.ts'
import { invalidField } from '../../errors.ts'
import type { Answer } from '../../forward/changes.ts'
import { headerOf, removeHeader } from '../../forward/header-list.ts'
import { publicAuthorityOf } from '../../forward/request-headers.ts'
import { ask } from './ask.ts'
import type { Question, Reply } from './ask.ts'
import type { MiddlewareContext } from './context.ts'
import type { Pass, Passage } from './passage.ts'
import { encodePathPart, splitTarget, withLeadingSlash } from './target.ts'

const MAX_PAGE_BYTES = 1024 ** 2
/** What a client needs to know whatever the page looks like. */
const KEPT = ['retry-after', 'www-authenticate', 'allow']

type Range = { from: number, to: number }

export function createErrorPages ({ status: ranges, service, query = '/' }: NonNullable<Definition['errors']>, { dispatcher, resolveService, pageTimeoutMs }: MiddlewareContext): Pass {
  const statuses = ranges.flatMap((text, index) => text.split(',').map((range) => parseRange(range.trim(), `/errors/status/${index}`)))

  return (passage) => {
    if (passage.request.method === 'HEAD') return true
    passage.onAnswer((answer) => isWanted(answer.status) ? replace(passage, answer) : undefined, 'always')
    return true
  }

  function isWanted (status: number): boolean {
    return statuses.some(({ from, to }) => status >= from && status <= to)
  }

  async function replace (passage: Passage, answer: Answer) {
    const page = await fetchPage(passage, answer.status)
    // A service that fails itself has no page; one that answers with the very status has.
    if (page === undefined || (page.status !== answer.status && (page.status < 200 || page.status > 299))) return
    removeHeader(page.headers, 'via')
    const kept = KEPT.flatMap((name) => headerOf(page.headers, name) === undefined ? fieldOf(answer.headers, name) : [])
    answer.reason = STATUS_CODES[answer.status] ?? ''
    answer.headers = [...page.headers, ...kept]
    answer.steps = []
    answer.replacement = page.body
  }

  async function fetchPage (passage: Passage, status: number): Promise<Reply | undefined> {
    const deadline = createDeadline(pageTimeoutMs, passage.signal)
    try {
      const upstream = await deadline.race(resolveService(service, deadline.signal))
      return upstream === undefined ? undefined : await ask(dispatcher, { upstream, ...pageOf(passage, status) }, { maxBytes: MAX_PAGE_BYTES, signal: deadline.signal })
    } catch {
      // Whatever it was, there is no page.
      return undefined
    } finally {
      deadline.lift()
    }
  }

  function pageOf (passage: Passage, status: number): Pick<Question, 'path' | 'headers'> {
    const url = encodeURIComponent(`${passage.scheme}://${publicAuthorityOf(passage.request)}${passage.askedTarget}`)
    const asked = splitTarget(query.replaceAll('{status}', String(status)).replaceAll('{originalStatus}', String(status)).replaceAll('{url}', () => url))
    const path = withLeadingSlash(encodePathPart(asked.path)) + encodePathPart(asked.query).replace(/^%3F/, '?')
    const { accept, 'accept-language': language } = passage.request.headers
    const headers = ['Host', publicAuthorityOf(passage.request), ...(accept === undefined ? [] : ['Accept', accept]), ...(language === undefined ? [] : ['Accept-Language', language])]
    return { path, headers }
  }
}

/** @throws DockApiError `invalid_request`. */
function parseRange (text: string, pointer: string): Range {
  const match = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text)
  const range = { from: Number(match?.[1]), to: Number(match?.[2] ?? match?.[1]) }
  if (match === null || range.from > range.to) throw invalidField('body', pointer, 'must be a status or a range of them, such as 404 or 500-599')
  return range
}

function fieldOf (headers: readonly string[], name: string): string[] {
  const value = headerOf(headers, name)
  return value === undefined ? [] : [name, value]
}
