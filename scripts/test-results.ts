export type Counts = { passed: number, failed: number, skipped: number }

/**
 * Reads tap's own totals, its last line of the form `# { total: 4, pass: 1, fail: 1, todo: 1, skip: 1 }`, out of its raw output.
 * @param code Exit code of tap: what failed outside every assertion, such as a file that did not load, counts as one failure at least.
 */
export function countResults (output: string, code: number): Counts {
  const totals = [...output.matchAll(/^# \{ total: .*\}$/gm)].at(-1)?.[0] ?? ''
  const count = (name: string) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
  return { passed: count('pass'), failed: Math.max(count('fail'), code === 0 ? 0 : 1), skipped: count('skip') + count('todo') }
}

/** The line that ends `npm test`, such as `212 passed, 0 failed, 3 skipped`. */
export function describeCounts ({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}
