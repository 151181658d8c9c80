import { RE2JS } from 're2js'

/** Answers what is wrong with a regular expression; `undefined` when it can be used. */
export type CheckPattern = (pattern: string) => string | undefined

const MAX_PATTERN = 1024
/**
 * What the expressions of one container may cost together, so that labels of an image cannot keep the process busy. RE2 matches in linear
 * time, but compiling unrolls `{n}` and Unicode classes: 1 KiB of `\pL` takes 40 ms, `(a{30}){30}` 2.5 ms. Measured, this is
 * about 100 ms at worst; a usual expression costs its length.
 */
const BUDGET = 20_000
const CLASS_COST = 50

/** Checks the expressions of one container, as Go reads them (RE2: no look-around, no back-references). */
export function createPatternCheck (): CheckPattern {
  let left = BUDGET
  return (pattern) => {
    if (pattern === '' || pattern.length > MAX_PATTERN) return `A regular expression has 1 to ${MAX_PATTERN} characters.`
    left -= costOf(pattern)
    if (left < 0) return 'The regular expressions of this container are too many or repeat too much.'
    try {
      RE2JS.compile(pattern)
      return undefined
    } catch {
      return 'It is no regular expression of RE2, which has no look-around and no back-references.'
    }
  }
}

function costOf (pattern: string): number {
  const classes = pattern.match(/\\[pP]/g)?.length ?? 0
  const repeats = [...pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].reduce((sum, [, from, to]) => sum + Math.max(Number(from), Number(to ?? 0)), 0)
  return (pattern.length + CLASS_COST * classes) * (1 + repeats)
}
