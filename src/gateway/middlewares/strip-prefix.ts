import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import type { Pass, Passage } from './passage.ts'
import { compilePattern } from './pattern.ts'
import { encodePathPart, splitTarget, withLeadingSlash } from './target.ts'

export function createStripPrefix ({ prefixes }: NonNullable<Definition['strip_prefix']>): Pass {
  const encoded = prefixes.map(encodePathPart)
  return (passage) => {
    const { path } = splitTarget(passage.target)
    const prefix = encoded.find((each) => path.startsWith(each))
    if (prefix !== undefined) strip(passage, prefix.length)
    return true
  }
}

export function createStripPrefixRegex ({ regex }: NonNullable<Definition['strip_prefix_regex']>): Pass {
  const patterns = regex.map((each, index) => compilePattern(each, `/strip_prefix_regex/regex/${index}`))
  return (passage) => {
    const { path } = splitTarget(passage.target)
    for (const pattern of patterns) {
      const length = pattern.lengthAtStart(path)
      if (length <= 0) continue
      strip(passage, length)
      break
    }
    return true
  }
}

/** The application is told all that was taken off before it, also by several middlewares. */
function strip (passage: Passage, length: number) {
  const { path, query } = splitTarget(passage.target)
  passage.strippedPrefix += path.slice(0, length).replace(/\/$/, '')
  passage.target = withLeadingSlash(path.slice(length)) + query
  passage.requestEdits.push({ name: 'X-Forwarded-Prefix', values: passage.strippedPrefix === '' ? [] : [passage.strippedPrefix] })
}
