import { setTimeout as delay } from 'node:timers/promises'

const WITHIN_MS = 60_000
const POLL_MS = 50

/** Asks until something answers over HTTP, whatever the status; at most a minute. */
export async function waitForAnswer (url: string, init: RequestInit = {}): Promise<Response> {
  const deadline = AbortSignal.timeout(WITHIN_MS)
  while (true) {
    try {
      return await fetch(url, { ...init, signal: deadline })
    } catch (error) {
      if (deadline.aborted) throw error
      await delay(POLL_MS)
    }
  }
}
