import { indent } from './failure.ts'

/** Tells the user what a step is doing while it takes its time. */
export type Say = (text: string) => void

/**
 * Runs one step of a command and prints a line about it with the time that it took.
 * @param run Does the step; what it hands to `say` is printed at once.
 * @param describe The line that is printed when the step is done.
 */
export async function step<T> (name: string, run: (say: Say) => Promise<T>, describe: (result: T) => string): Promise<T> {
  const startedAt = performance.now()
  const label = name.padEnd(10)
  const result = await run((text) => console.log(indent(`${label} ${text}`)))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(indent(`${label} ${describe(result)} (${seconds} s)`))
  return result
}
