/** Literal labels up to the end: `\.example\.com$`. A backslash before them would be part of another escape. */
const LITERAL_END = /(?<!\\)((?:\\\.[a-z0-9_-]+)+)\$$/i
/** Where parentheses and bars may be characters and not operators. */
const UNCLEAR = /\\[()|Q]|\[[^\]]*[()|]/
const INNER_GROUP = /\([^()]*\)/g

/**
 * How every host ends that a regular expression takes, beginning with a dot: `^[a-z]+\.example\.com$` gives `.example.com`. `undefined`
 * where that cannot be read off safely.
 */
export function suffixOf (pattern: string): string | undefined {
  const literal = LITERAL_END.exec(pattern)?.[1]
  if (literal === undefined || UNCLEAR.test(pattern)) return undefined
  let outside = pattern
  for (let before = ''; before !== outside;) {
    before = outside
    outside = outside.replaceAll(INNER_GROUP, '')
  }
  // A bar outside of all groups has another end before it.
  return /[()|]/.test(outside) ? undefined : literal.replaceAll('\\', '').toLowerCase()
}
