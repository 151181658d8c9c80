import { constants } from 'node:os'
import type { ContainerDocument } from '../engine/containers.ts'

const SIGNALS: Readonly<Record<string, number>> = constants.signals
const DEFAULT_STOP = 'SIGTERM'

/** Whether a signal, by name or number, is one that ends a container: SIGKILL, SIGTERM, or the one that its image names (STOPSIGNAL). */
export function isEndingSignal (signal: string, stopSignal: string = DEFAULT_STOP): boolean {
  const number = numberOf(signal)
  return number !== undefined && [SIGNALS.SIGKILL, SIGNALS.SIGTERM, numberOf(stopSignal)].includes(number)
}

/** The signal that a container wants to be stopped with; undefined when it leaves that to the engine. */
export function stopSignalOf (document: ContainerDocument): string | undefined {
  return (document.Config as { StopSignal?: string }).StopSignal
}

function numberOf (signal: string): number | undefined {
  if (/^\d+$/.test(signal)) return Number(signal)
  const name = signal.toUpperCase()
  return SIGNALS[name.startsWith('SIG') ? name : `SIG${name}`]
}
