import { RuleError } from './rule-error.ts'

const ESCAPES = new Map([['n', '\n'], ['r', '\r'], ['t', '\t'], ['\\', '\\'], ['"', '"'], ["'", "'"]])

/**
 * One value of a matcher: Go's string literals, which are `raw` and "with \\ escapes", and \"what is left of quotes\" that were escaped for a
 * file whose format did not need it.
 * @returns The value and the offset behind it.
 * @throws RuleError
 */
export function readLiteral (text: string, start: number): { value: string, end: number } {
  if (text.startsWith('\\"', start)) return readUntil(text, start, '\\"')
  if (text[start] === '`') return readUntil(text, start, '`')
  if (text[start] === '"') return readEscaped(text, start)
  if (start === text.length) throw new RuleError('The rule ends where a value in backticks was expected.', start)
  if (text[start] === "'" || text[start] === '‘' || text[start] === '“') throw new RuleError('Values are written in backticks (`) or double quotes ("), not in these quotes.', start, '`')
  throw new RuleError('A value is written in backticks, such as `example.com`.', start, '`')
}

function readUntil (text: string, start: number, quote: string): { value: string, end: number } {
  const end = text.indexOf(quote, start + quote.length)
  if (end === -1) throw new RuleError(`The value that begins here is not closed with ${quote}.`, start)
  return { value: text.slice(start + quote.length, end), end: end + quote.length }
}

function readEscaped (text: string, start: number): { value: string, end: number } {
  let value = ''
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index]!
    if (character === '"') return { value, end: index + 1 }
    if (character !== '\\') {
      value += character
      continue
    }
    const escaped = ESCAPES.get(text[++index] ?? '')
    if (escaped === undefined) throw new RuleError('In double quotes a backslash is written twice; in backticks it stands for itself.', index - 1)
    value += escaped
  }
  throw new RuleError('The value that begins here is not closed with ".', start)
}
