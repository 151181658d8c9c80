import { DockApiError } from '../errors.ts'

/** In which form a stream, or its bounded twin, is answered. */
export type Form = 'text' | 'ndjson' | 'sse' | 'json'

export const MEDIA_TYPES: Readonly<Record<Form, string>> = {
  text: 'text/plain',
  ndjson: 'application/x-ndjson',
  sse: 'text/event-stream',
  json: 'application/json'
}

/**
 * The offered form that an `Accept` header likes best (RFC 9110 section 12.5.1): the most exact range that fits a form gives its weight; of equals
 * the one that is offered first wins, and so it is what `Accept: *` and no header get.
 * @throws DockApiError `not_acceptable` that names what there is.
 */
export function negotiateForm<F extends Form> (accept: string | undefined, offered: readonly F[]): F {
  const type = negotiateType(accept, offered.map((form) => MEDIA_TYPES[form]))
  return offered.find((form) => MEDIA_TYPES[form] === type)!
}

/** The same for media types. */
export function negotiateType (accept: string | undefined, offered: readonly string[]): string {
  const ranges = parseAccept(accept ?? '*/*')
  let best: { type: string, weight: number } | undefined
  for (const type of offered) {
    const weight = weightOf(type, ranges)
    if (weight > (best?.weight ?? 0)) best = { type, weight }
  }
  if (best !== undefined) return best.type
  throw new DockApiError('not_acceptable', `This answer comes as ${offered.join(', ')}, and the Accept header wants none of these.`)
}

type Range = { type: string, weight: number }

function parseAccept (accept: string): Range[] {
  return accept.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    return { type, weight: weight === undefined ? 1 : Number(weight) || 0 }
  })
}

function weightOf (type: string, ranges: readonly Range[]): number {
  for (const range of [type, `${type.split('/', 1)[0]}/*`, '*/*']) {
    const match = ranges.find((candidate) => candidate.type === range)
    if (match !== undefined) return match.weight
  }
  return 0
}
