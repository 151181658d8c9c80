import { setTimeout as delay } from 'node:timers/promises'
import { probeTcp } from '../containers/probe.ts'
import type { Upstream } from '../forward/upstream.ts'

const FIRST_PAUSE_MS = 25
const LONGEST_PAUSE_MS = 500
const GROWTH = 1.5
/** After this time an application counts as open, and whoever calls is told what its port answers, in milliseconds. */
const PATIENCE_MS = 30_000

/**
 * Waits until the application accepts connections: a container runs some time before it does. Looks at once, then quickly, then twice
 * a second.
 * @param isWanted Ends the wait when it says false.
 */
export async function waitUntilOpen (upstream: Upstream, isWanted: () => boolean, signal: AbortSignal): Promise<void> {
  const endsAt = performance.now() + PATIENCE_MS
  for (let pauseMs = FIRST_PAUSE_MS; isWanted() && !signal.aborted; pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS)) {
    const { isReady } = await probeTcp(upstream, signal)
    if (isReady || performance.now() > endsAt) return
    await delay(pauseMs, undefined, { signal, ref: false }).catch(() => {})
  }
}
