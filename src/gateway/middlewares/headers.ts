import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { addToList, setHeader } from '../../forward/header-list.ts'
import { createCors } from './cors.ts'
import { checkRequestHeader, checkResponseHeader } from './header-rules.ts'
import type { Pass } from './passage.ts'

type Settings = NonNullable<Definition['headers']>

export function createHeaders (settings: Settings): Pass {
  const requestEdits = Object.entries(settings.custom_request_headers ?? {}).map(([name, value]) => {
    checkRequestHeader(name, value, `/headers/custom_request_headers/${name}`)
    return { name, values: value === '' ? [] : [value] }
  })
  const fixed = responseFields(settings)
  for (const [name, value] of fixed) checkResponseHeader(name, value, `/headers/custom_response_headers/${name}`)
  const sts = strictTransport(settings)
  const cors = createCors(settings)
  const hasAnswerChange = fixed.length > 0 || sts !== undefined || cors !== undefined || settings.add_vary_header === true

  return (passage) => {
    const { request, scheme } = passage
    passage.requestEdits.push(...requestEdits)
    if (hasAnswerChange) {
      passage.onAnswer(({ headers }) => {
        cors?.allow(request.headers.origin, headers)
        for (const [name, value] of fixed) setHeader(headers, name, ...(value === '' ? [] : [value]))
        if (sts !== undefined && (scheme === 'https' || settings.force_sts_header === true)) setHeader(headers, 'Strict-Transport-Security', sts)
        if (settings.add_vary_header === true) addToList(headers, 'Vary', 'Origin')
      }, 'always')
    }
    const preflight = cors?.preflight(request)
    return preflight === undefined || passage.answer(204, preflight)
  }
}

/** What is said on every answer; an empty value removes what the application says. */
function responseFields (settings: Settings): [name: string, value: string][] {
  const frame = settings.custom_frame_options_value ?? (settings.frame_deny === true ? 'DENY' : undefined)
  const security: [string, string | undefined][] = [
    ['X-Frame-Options', frame],
    ['X-Content-Type-Options', settings.content_type_nosniff === true ? 'nosniff' : undefined],
    ['X-XSS-Protection', settings.browser_xss_filter === true ? '1; mode=block' : undefined],
    ['Referrer-Policy', settings.referrer_policy],
    ['Permissions-Policy', settings.permissions_policy],
    ['Content-Security-Policy', settings.content_security_policy]
  ]
  return [...security.filter((field): field is [string, string] => field[1] !== undefined && field[1] !== ''), ...Object.entries(settings.custom_response_headers ?? {})]
}

function strictTransport ({ sts_seconds: seconds, sts_include_subdomains: hasSubdomains, sts_preload: isPreloaded }: Settings): string | undefined {
  if (seconds === undefined || seconds === 0) return undefined
  return `max-age=${seconds}${hasSubdomains === true ? '; includeSubDomains' : ''}${isPreloaded === true ? '; preload' : ''}`
}
