import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import type { Pass } from './passage.ts'
import { encodePathPart, withLeadingSlash } from './target.ts'

export function createAddPrefix ({ prefix }: NonNullable<Definition['add_prefix']>): Pass {
  const encoded = withLeadingSlash(encodePathPart(prefix)).replace(/\/$/, '')
  return (passage) => {
    passage.target = encoded + withLeadingSlash(passage.target)
    return true
  }
}
