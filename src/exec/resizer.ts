import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from '../engine/engine.ts'
import { resizeExec } from '../engine/exec.ts'
import type { TerminalSize } from '../engine/exec.ts'

/** Right after the start the engine may not know the terminal yet. */
const TRIES = 5
const PAUSE_MS = 50

/** Sets the size of a terminal, one call at a time: of several sizes in a row the last one is set. Resolves when it is, or cannot be. */
export function createResizer (engine: Engine, execId: string, signal: AbortSignal): (size: TerminalSize) => Promise<void> {
  let wanted: TerminalSize
  let applying: Promise<void> | undefined

  async function apply () {
    for (let tries = 0; tries < TRIES && !signal.aborted; tries++) {
      const size = wanted
      const isSet = await resizeExec(engine, execId, size, { signal }).then(() => true, () => false)
      if (isSet && wanted === size) return
      if (isSet) tries = -1
      else await delay(PAUSE_MS)
    }
  }

  return (size) => {
    wanted = size
    applying ??= apply().finally(() => { applying = undefined })
    return applying
  }
}
