/** Longest piece of a rule that a message repeats, in characters. */
const MAX_QUOTE = 60

/** What is wrong with the text of a rule. The message is a plain sentence for whoever wrote the rule. */
export class RuleError extends Error {
  /** Offset of the first wrong character in the text, from 0. */
  readonly position: number
  /** What was probably meant. */
  readonly suggestion: string | undefined

  constructor (message: string, position: number, suggestion?: string) {
    super(message)
    this.name = 'RuleError'
    this.position = position
    this.suggestion = suggestion
  }
}

/** All of it as one text, for where the suggestion has no place of its own. */
export function tellRuleError ({ message, position, suggestion }: RuleError): string {
  const end = suggestion === undefined || message.includes(`did you mean ${suggestion}`) ? '' : ` Did you mean ${suggestion}?`
  return `cannot be read at character ${position + 1}: ${message}${end}`
}

/** A piece of the rule for a message: in quotes, cut, and without what would break a line or a terminal. */
export function quoted (text: string): string {
  const short = text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text
  return `"${short.replaceAll(/\p{C}/gu, '?')}"`
}
