import { setTimeout as delay } from 'node:timers/promises'

/** Waits for something that has no event of its own; the test's own time limit is the guard. */
export async function until (condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) await delay(5)
}
