import { RE2JS } from 're2js'
import { invalidField } from '../../errors.ts'

/** A regular expression whose time grows with the length of the text only (RE2): it comes from labels, and the text from anybody. */
export type Pattern = {
  /** Whether it is found somewhere. */
  isIn (text: string): boolean
  /** Whether it is the whole text. */
  isAll (text: string): boolean
  /** How many characters it takes at the beginning of the text; -1 when it is not there. */
  lengthAtStart (text: string): number
  /** The text with everything that it finds replaced; undefined when it finds nothing. */
  replaceIn (text: string, template: Template): string | undefined
}

/** A replacement: text and the groups of a match, by number or name. */
export type Template = ReadonlyArray<string | { group: number | string }>

/** @throws DockApiError `invalid_request`. */
export function compilePattern (source: string, pointer: string): Pattern {
  const expression = compile(source, pointer)

  function lengthAtStart (text: string): number {
    const matcher = expression.matcher(text)
    return matcher.lookingAt() ? matcher.end() : -1
  }

  function replaceIn (text: string, template: Template): string | undefined {
    const matcher = expression.matcher(text)
    let result = ''
    let end = -1
    while (matcher.find()) {
      result += text.slice(Math.max(end, 0), matcher.start()) + template.map((part) => typeof part === 'string' ? part : groupOf(matcher, part.group)).join('')
      end = matcher.end()
    }
    return end === -1 ? undefined : result + text.slice(end)
  }

  return {
    isIn: (text) => expression.matcher(text).find(),
    isAll: (text) => expression.matcher(text).matches(),
    lengthAtStart,
    replaceIn
  }
}

/** `$1`, `${1}`, `$name` and `${name}` are groups, `$$` is a dollar. */
export function parseTemplate (replacement: string): Template {
  const parts: Array<string | { group: number | string }> = []
  let end = 0
  for (const match of replacement.matchAll(/\$(?:(\$)|(\d+)|(\w+)|\{(\d+)\}|\{(\w+)\})/g)) {
    const [whole, dollar, number, name, bracedNumber, bracedName] = match
    parts.push(replacement.slice(end, match.index))
    const digits = number ?? bracedNumber
    if (dollar !== undefined) parts.push('$')
    else parts.push({ group: digits === undefined ? (name ?? bracedName)! : Number(digits) })
    end = match.index + whole.length
  }
  return [...parts, replacement.slice(end)]
}

function compile (source: string, pointer: string): RE2JS {
  try {
    return RE2JS.compile(source)
  } catch (error) {
    throw invalidField('body', pointer, `is no regular expression of RE2's: ${(error as Error).message}`, 'RE2 knows no look-around and no back references.')
  }
}

function groupOf (matcher: ReturnType<RE2JS['matcher']>, group: number | string): string {
  if (typeof group === 'number') return group <= matcher.groupCount() ? matcher.group(group) ?? '' : ''
  return matcher.getNamedGroups()[group] ?? ''
}
