import { nearest } from '../suggest.ts'
import { createCompiler } from './expressions.ts'
import { readLiteral } from './literal.ts'
import { MATCHER_NAMES, buildMatcher, isMatcherName } from './matchers.ts'
import type { Argument } from './matchers.ts'
import { RuleError, quoted } from './rule-error.ts'
import { all, any, not } from './rule.ts'
import type { Rule } from './rule.ts'

/** Longest text of a rule, in characters. Rules come from labels, which anybody may write who may start a container. */
export const MAX_RULE_LENGTH = 4096
/** Most groups and negations around a matcher. */
const MAX_NESTING = 32

const WORDS = new Map([['and', '&&'], ['or', '||'], ['not', '!'], ['&', '&&'], ['|', '||']])

/**
 * Reads a rule in the grammar of Traefik v3, and what v2 wrote differently.
 *
 *     or    = and { "||" and }        and  = unary { "&&" unary }
 *     unary = "!" unary | "(" or ")" | Name "(" value { "," value } ")"
 *
 * @throws RuleError that says where it went wrong, what was expected and, where it can, what was meant.
 */
export function parseRule (text: string): Rule {
  if (text.length > MAX_RULE_LENGTH) throw new RuleError(`A rule has at most ${MAX_RULE_LENGTH} characters, and this one has ${text.length}.`, MAX_RULE_LENGTH)
  const compiler = createCompiler()
  let position = 0
  let depth = 0

  skipSpace()
  if (position === text.length) throw new RuleError('The rule is empty; write for example Host(`example.com`).', 0)
  const rule = readOr()
  if (position < text.length) throw unexpected('"&&", "||" or the end of the rule')
  return rule

  function readOr (): Rule {
    const parts = [readAnd()]
    while (take('||')) parts.push(readAnd())
    return any(parts)
  }

  function readAnd (): Rule {
    const parts = [readUnary()]
    while (take('&&')) parts.push(readUnary())
    return all(parts)
  }

  function readUnary (): Rule {
    const start = position
    if (take('!')) return nested(start, () => not(readUnary()))
    if (!take('(')) return readMatcher()
    return nested(start, () => {
      const inner = readOr()
      expect(')', '"&&", "||" or ")"')
      return inner
    })
  }

  function nested (start: number, read: () => Rule): Rule {
    if (++depth > MAX_NESTING) throw new RuleError(`Groups and negations are nested more than ${MAX_NESTING} deep.`, start)
    const inner = read()
    depth--
    return inner
  }

  function readMatcher (): Rule {
    const start = position
    const name = /^[A-Za-z_]\w*/.exec(text.slice(position, position + 128))?.[0]
    if (name === undefined) throw unexpected('a matcher, "!" or "("')
    position += name.length
    skipSpace()
    if (!isMatcherName(name)) throw unknownMatcher(name, start)
    expect('(', `"(" after ${name}`)
    const args = readArguments()
    const end = position
    expect(')', args.length === 0 ? 'a value in backticks or ")"' : '"," or ")"')
    return buildMatcher({ name, position: start, text: text.slice(start, end + 1).replaceAll(/\s+/g, ' '), args, compiler })
  }

  function readArguments (): Argument[] {
    const args: Argument[] = []
    while (text[position] !== ')') {
      const { value, end } = readLiteral(text, position)
      args.push({ text: value, position })
      position = end
      skipSpace()
      if (!take(',')) break
    }
    return args
  }

  function expect (token: string, what: string) {
    if (!take(token)) throw unexpected(what)
  }

  function take (token: string): boolean {
    if (!text.startsWith(token, position)) return false
    position += token.length
    skipSpace()
    return true
  }

  function skipSpace () {
    while (position < text.length && ' \t\r\n'.includes(text[position]!)) position++
  }

  function unexpected (expected: string): RuleError {
    if (position === text.length) return new RuleError(`The rule ends where ${expected} was expected.`, position)
    const found = /^(?:\w+|[&|]+|.)/su.exec(text.slice(position, position + 128))![0]
    const meant = WORDS.get(found.toLowerCase())
    return new RuleError(`Found ${quoted(found)} where ${expected} was expected${meant === undefined ? '.' : `; did you mean ${meant}?`}`, position, meant)
  }
}

function unknownMatcher (name: string, position: number): RuleError {
  if (/^(HostSNI|HostSNIRegexp|ALPN)$/i.test(name)) return new RuleError(`${name} is a matcher for TCP routers; HTTP routers have Host.`, position, 'Host')
  const meant = nearest(name, MATCHER_NAMES)
  const end = meant === undefined ? `. There are ${MATCHER_NAMES.join(', ')}.` : `; did you mean ${meant}?`
  return new RuleError(`There is no matcher ${quoted(name)}${end}`, position, meant)
}
