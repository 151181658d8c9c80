import { fitsCommands } from '../auth/permit.ts'
import type { Grant } from '../auth/grant.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { DockApiError } from '../errors.ts'
import type { ExecInfo } from '../../schemas/exec.ts'
import { endExec, lookAgain, signalExec, waitForExit } from './ending.ts'
import { openCommand, startCommand } from './exec.ts'
import type { Exec } from './exec.ts'
import type { ExecOrder } from './order.ts'
import { createExecRecords } from './records.ts'
import type { ExecRecord } from './records.ts'

/** The commands that run in containers through this server. */
export type Execs = {
  /** Runs a command and connects to it. Errors as `openCommand`. */
  open (document: ContainerDocument, order: ExecOrder, signal: AbortSignal): Promise<Exec>
  /** Runs a command that nobody listens to. Errors as `startCommand`. */
  start (document: ContainerDocument, order: ExecOrder, signal: AbortSignal): Promise<ExecRecord>
  /** Those of a container that the grant may run, the last one first. */
  list (containerId: string, grant: Grant, signal: AbortSignal): Promise<ExecInfo[]>
  /**
   * Signals a command, and waits a moment for its end.
   * @throws DockApiError `exec_not_found`, `exec_ended`, `exec_unreachable`.
   */
  kill (containerId: string, id: string, grant: Grant, name: NodeJS.Signals): Promise<ExecInfo>
  /** Ends every command that somebody is connected to. Idempotent. */
  close (): Promise<void>
}

/** How long the answer to a signal waits for the end of the command, in milliseconds. */
const SETTLE_MS = 1_000

export function createExecs (engine: Engine): Execs {
  const records = createExecRecords()
  const connected = new Set<Exec>()
  const timers = new Set<NodeJS.Timeout>()

  async function open (document: ContainerDocument, order: ExecOrder, signal: AbortSignal) {
    const exec = await openCommand(engine, document, order, signal)
    records.add(exec.record)
    connected.add(exec)
    exec.once('close', () => connected.delete(exec))
    return exec
  }

  async function start (document: ContainerDocument, order: ExecOrder, signal: AbortSignal) {
    const record = await startCommand(engine, document, order, signal)
    records.add(record)
    if (order.timeoutMs === undefined) return record
    const timer = setTimeout(() => {
      timers.delete(timer)
      endExec(engine, record).catch(() => {})
    }, order.timeoutMs)
    timers.add(timer)
    return record
  }

  async function list (containerId: string, grant: Grant, signal: AbortSignal) {
    const found = records.of(containerId).filter(({ order }) => fitsCommands(grant, order.command)).reverse()
    for (const record of found) await lookAgain(engine, record, signal)
    return found.map(describeExec)
  }

  async function kill (containerId: string, id: string, grant: Grant, name: NodeJS.Signals) {
    const record = records.find(containerId, id, grant)
    await lookAgain(engine, record)
    if (record.endedAt !== undefined) throw new DockApiError('exec_ended', `The command ended with ${record.exitCode ?? 'its container'}.`, { details: { exec: describeExec(record) } })
    if (!await signalExec(engine, record, name)) {
      await lookAgain(engine, record)
      if (record.endedAt === undefined) throw new DockApiError('exec_unreachable', `The command could not be sent ${name}.`, { details: { exec: describeExec(record) } })
    }
    await waitForExit(engine, record, AbortSignal.timeout(SETTLE_MS)).catch(() => {})
    return describeExec(record)
  }

  async function close () {
    for (const timer of timers) clearTimeout(timer)
    await Promise.all([...connected].map((exec) => exec.close()))
  }

  return { open, start, list, kill, close }
}

function describeExec ({ id, order, startedAt, endedAt, exitCode, bytes }: ExecRecord): ExecInfo {
  return {
    exec_id: id,
    command: order.command,
    user: order.user ?? null,
    tty: order.isTty,
    detached: order.isDetached,
    started_at: startedAt.toISOString(),
    ended_at: endedAt?.toISOString() ?? null,
    running: endedAt === undefined,
    exit_code: exitCode,
    bytes: { ...bytes }
  }
}
