import { RE2JS } from 're2js'
import { invalidField } from '../errors.ts'

export type LineFilterQuery = { grep?: string | undefined, regex?: string | undefined }

/**
 * Whether a line is wanted: it contains the text and matches the expression. The expression is RE2's (`re2js`), whose time grows with the length of the line and
 * nothing else; JavaScript's own can be made to take for ever by a pattern of ten characters, and with it every other request.
 * @throws DockApiError `invalid_request` for an expression that RE2 does not know, such as one with a back reference.
 */
export function createLineFilter ({ grep, regex }: LineFilterQuery): (line: string) => boolean {
  const expression = regex === undefined ? undefined : compile(regex)
  return (line) => (grep === undefined || line.includes(grep)) && (expression === undefined || expression.matcher(line).find())
}

function compile (pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    throw invalidField('query', '/regex', (error as Error).message, 'Write an expression in RE2\'s syntax: no look-around, no back references. (?i) at the beginning ignores case.')
  }
}
