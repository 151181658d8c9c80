const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** npm passes on a Ctrl+C that the terminal has already delivered; a later one is a second press. */
const SECOND_PRESS_MS = 1_000

/**
 * A signal that aborts when the user ends the command, so that it can put things back before it ends.
 * A second press ends the process at once.
 */
export function createInterruption (): AbortSignal {
  const controller = new AbortController()
  let firstAt = 0
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        firstAt = performance.now()
        controller.abort(new Error(`${name} received`))
      } else if (performance.now() - firstAt > SECOND_PRESS_MS) {
        process.exit(130)
      }
    })
  }
  return controller.signal
}

/** Resolves when the signal aborts. */
export async function aborted (signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
