import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from '../engine/engine.ts'
import { inspectExec } from '../engine/exec.ts'
import { isDockApiError } from '../errors.ts'
import { signalHostProcess } from './host-processes.ts'
import { signalInnerProcesses } from './inner-processes.ts'
import type { ExecRecord } from './records.ts'

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250

/**
 * Waits until the engine knows the exit code: it ends the output first, and a command may close its outputs long before it ends.
 * Null when the container or the engine's memory of the command is gone.
 */
export async function waitForExit (engine: Engine, record: ExecRecord, signal: AbortSignal): Promise<number | null> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const exitCode = await lookAgain(engine, record, signal)
    if (record.endedAt !== undefined) return exitCode
    await delay(pauseMs, undefined, { signal })
  }
}

/** Notes what the engine says now of a command that had not ended. */
export async function lookAgain (engine: Engine, record: ExecRecord, signal?: AbortSignal): Promise<number | null> {
  if (record.endedAt !== undefined) return record.exitCode
  try {
    const { exitCode } = await inspectExec(engine, record.id, { signal })
    if (exitCode !== null) note(record, exitCode)
  } catch (error) {
    if (!isDockApiError(error, 'container_not_found')) throw error
    note(record, null)
  }
  return record.exitCode
}

/**
 * Sends a signal to a command and what it started. The engine has no call for it: dockAPI signals the processes itself where it sees them on
 * its own machine, else with the image's `sh`.
 * @returns Whether it arrived.
 */
export async function signalExec (engine: Engine, record: ExecRecord, signal: NodeJS.Signals): Promise<boolean> {
  const { exitCode, pid } = await inspectExec(engine, record.id)
  if (exitCode !== null) return false
  return await signalHostProcess(pid, record.mark, signal) ||
    await signalInnerProcesses(engine, record.containerId, record.order.user, record.mark, signal)
}

/** How long a killed command may take to be gone, in milliseconds. */
const GONE_MS = 2_000

/** Kills a command. @returns Whether it has ended. Never throws. */
export async function endExec (engine: Engine, record: ExecRecord): Promise<boolean> {
  try {
    await lookAgain(engine, record)
    if (record.endedAt !== undefined) return true
    if (!await signalExec(engine, record, 'SIGKILL')) return await hasEnded(engine, record)
    await waitForExit(engine, record, AbortSignal.timeout(GONE_MS))
    return true
  } catch {
    return record.endedAt !== undefined
  }
}

async function hasEnded (engine: Engine, record: ExecRecord): Promise<boolean> {
  await lookAgain(engine, record)
  return record.endedAt !== undefined
}

function note (record: ExecRecord, exitCode: number | null) {
  record.exitCode = exitCode
  record.endedAt = new Date()
}
