import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import type { Pass, Passage } from './passage.ts'
import { compilePattern, parseTemplate } from './pattern.ts'
import { encodePathPart, splitTarget, withLeadingSlash } from './target.ts'

export function createReplacePath ({ path }: NonNullable<Definition['replace_path']>): Pass {
  const encoded = withLeadingSlash(encodePathPart(path))
  return (passage) => {
    replace(passage, encoded)
    return true
  }
}

export function createReplacePathRegex ({ regex, replacement }: NonNullable<Definition['replace_path_regex']>): Pass {
  const pattern = compilePattern(regex, '/replace_path_regex/regex')
  const template = parseTemplate(replacement).map((part) => typeof part === 'string' ? encodePathPart(part) : part)
  return (passage) => {
    const path = pattern.replaceIn(splitTarget(passage.target).path, template)
    if (path !== undefined) replace(passage, withLeadingSlash(path))
    return true
  }
}

function replace (passage: Passage, path: string) {
  const former = splitTarget(passage.target)
  passage.target = path + former.query
  passage.requestEdits.push({ name: 'X-Replaced-Path', values: [former.path] })
}
