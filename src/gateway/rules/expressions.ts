import { RE2JS } from 're2js'
import { RuleError, quoted } from './rule-error.ts'

/**
 * Most steps that the expressions of one rule may have together. RE2's time is the length of the text times the steps: 1,000 of them on a
 * header of 16 KiB took 50 to 100 ms, and compiling a million, which 3,000 characters can ask for, more than a second.
 */
const MAX_STEPS = 1_000
/** Steps that a Unicode class counts for: it is a table of some 600 ranges. */
const CLASS_STEPS = 20

/** `{name}` and `{name:expression}`, as Traefik v2 writes them; a count (`{2,3}`) begins with a digit. */
const TEMPLATE_START = /\{[A-Za-z_][\w-]*[:}]/

/** Compiles the expressions of one rule, which share one limit. */
export type Compiler = {
  /** @throws RuleError at `position` for an expression that RE2 does not know or that is too large. */
  compile (pattern: string, position: number, flags?: number): RE2JS
}

export const IGNORE_CASE = RE2JS.CASE_INSENSITIVE

export function createCompiler (): Compiler {
  let steps = 0

  function compile (pattern: string, position: number, flags = 0): RE2JS {
    steps += stepsOf(pattern)
    if (steps > MAX_STEPS) throw new RuleError('The regular expressions of this rule are too large; write smaller counts in braces, or fewer alternatives.', position)
    try {
      return RE2JS.compile(pattern, flags)
    } catch (error) {
      const reason = (error as Error).message.replace(/^error parsing regexp: /, '')
      throw new RuleError(`The regular expression ${quoted(pattern)} is not one of RE2 (Go): ${reason}.`, position)
    }
  }

  return { compile }
}

export function isTemplate (text: string): boolean {
  return TEMPLATE_START.test(text)
}

/**
 * Traefik v2's template as a regular expression: `{name}` is one part between separators, `{name:expression}` the expression, and all else
 * stands for itself.
 * @param part What a nameless part may consist of, such as `[^.]+`.
 * @throws RuleError when a brace is not closed.
 */
export function fromTemplate (text: string, part: string, position: number): string {
  let pattern = ''
  for (let index = 0; index < text.length;) {
    if (text[index] !== '{') {
      const next = text.indexOf('{', index)
      const end = next === -1 ? text.length : next
      pattern += RE2JS.quote(text.slice(index, end))
      index = end
      continue
    }
    const end = closingBrace(text, index)
    if (end === -1) throw new RuleError('The brace is not closed; write {name:expression}.', position)
    const [, expression] = /^[^:]*(?::(.*))?$/s.exec(text.slice(index + 1, end))!
    pattern += `(?:${expression ?? part})`
    index = end + 1
  }
  return pattern
}

function closingBrace (text: string, start: number): number {
  let depth = 0
  for (let index = start; index < text.length; index++) {
    if (text[index] === '{') depth++
    if (text[index] === '}' && --depth === 0) return index
  }
  return -1
}

/** About how many steps an expression compiles to: one for each character, times the counts in braces around it. Rather too many than too few. */
function stepsOf (pattern: string): number {
  const outer: number[] = []
  let sum = 0
  let last = 0
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index]!
    if (character === '(') {
      outer.push(sum)
      sum = 0
      last = 0
      continue
    }
    const count = /^\{(\d+)(,?)(\d*)\}/.exec(pattern.slice(index, index + 16))
    if (character === ')') {
      last = sum + 1
      sum = (outer.pop() ?? 0) + last
    } else if (count !== null) {
      const times = Math.max(Number(count[1]), Number(count[3])) + (count[2] === '' ? 0 : 1)
      sum += last * Math.max(times - 1, 0)
      last *= Math.max(times, 1)
      index += count[0].length - 1
    } else {
      const end = character === '[' ? classEnd(pattern, index) : index + (character === '\\' ? 1 : 0)
      last = 1 + CLASS_STEPS * (pattern.slice(index, end + 1).match(/\\p/gi)?.length ?? 0)
      sum += last
      index = end
    }
  }
  return sum + outer.reduce((total, each) => total + each, 0)
}

function classEnd (pattern: string, start: number): number {
  const first = pattern[start + 1] === '^' ? start + 2 : start + 1
  for (let index = first; index < pattern.length; index++) {
    if (pattern[index] === '\\') index++
    else if (pattern.startsWith('[:', index)) index = Math.max(index, pattern.indexOf(':]', index) + 1)
    else if (pattern[index] === ']' && index > first) return index
  }
  return pattern.length
}
