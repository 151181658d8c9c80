import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { Writable } from 'node:stream'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { openExec, startDetached } from '../engine/exec.ts'
import type { ExecSession, ExecSpec, TerminalSize } from '../engine/exec.ts'
import type { OutputChunk } from '../engine/frames.ts'
import { DockApiError } from '../errors.ts'
import { endExec, signalExec, waitForExit } from './ending.ts'
import type { ExecOrder } from './order.ts'
import type { ExecRecord } from './records.ts'
import { createResizer } from './resizer.ts'

/** A command that runs in a container, and the connection to it. Whoever opened it closes it. */
export type Exec = {
  readonly record: ExecRecord
  /** Until the command, and all that write to its outputs, have ended. Fails when time is over or the client has left. */
  output (): AsyncGenerator<OutputChunk, void>
  /** The command's stdin; `end` closes it and leaves the outputs open. */
  readonly stdin: Writable
  /** Sets the size of the terminal. Never fails. */
  resize (size: TerminalSize): Promise<void>
  /** @returns Whether the signal arrived. */
  signal (name: NodeJS.Signals): Promise<boolean>
  /** Waits for the end. @throws DockApiError `container_not_running` when the container ended first. */
  exitCode (): Promise<number>
  /** What a failure of `output` or `exitCode` means, once the command is ended: `exec_timeout`, `client_gone`, `shutting_down`, or the failure itself. */
  explain (error: unknown): Promise<unknown>
  /** Ends the command, unless it has ended or is a detached one, and frees the connection. Idempotent. */
  close (): Promise<void>
  destroy (): void
  once (event: 'close', listener: () => void): void
}

/** Marks the processes of one command. */
const MARK = 'DOCKAPI_EXEC'

/**
 * Runs a command in a running container and connects to it.
 * @param signal Aborts when nobody wants the command any more.
 * @throws DockApiError `container_not_running`, `container_paused`, `exec_timeout`, `client_gone`.
 */
export async function openCommand (engine: Engine, document: ContainerDocument, order: ExecOrder, signal: AbortSignal): Promise<Exec> {
  refuseUnlessRunning(document)
  const mark = createMark()
  const over = new AbortController()
  const timer = order.timeoutMs === undefined ? undefined : setTimeout(() => over.abort(), order.timeoutMs)
  const ended = endOf(order, signal, over.signal)
  try {
    const session = await openExec(engine, document.Id, specOf(order, mark), { signal: ended })
    const record = createRecord(session.id, document.Id, order, mark)
    const exec = createExec(engine, session, record, { ended, over: over.signal, gone: signal, onClose: () => clearTimeout(timer) })
    // Before the first input: what the user types is laid out for this size.
    if (order.size !== undefined) await exec.resize(order.size)
    return exec
  } catch (error) {
    clearTimeout(timer)
    throw over.signal.aborted ? new DockApiError('exec_timeout', `The command had not started after ${order.timeoutMs! / 1000} seconds.`, { cause: error }) : error
  }
}

/**
 * Runs a command that nobody listens to.
 * @throws DockApiError `container_not_running`, `container_paused`, `invalid_command`.
 */
export async function startCommand (engine: Engine, document: ContainerDocument, order: ExecOrder, signal: AbortSignal): Promise<ExecRecord> {
  refuseUnlessRunning(document)
  const mark = createMark()
  return createRecord(await startDetached(engine, document.Id, specOf(order, mark), { signal }), document.Id, order, mark)
}

type Life = { ended: AbortSignal, over: AbortSignal, gone: AbortSignal, onClose: () => void }

function createExec (engine: Engine, { id, socket, output }: ExecSession, record: ExecRecord, { ended, over, gone, onClose }: Life): Exec {
  const { order } = record
  const events = new EventEmitter()
  const resize = createResizer(engine, id, ended)
  let closing: Promise<void> | undefined
  ended.addEventListener('abort', destroy, { once: true })
  if (ended.aborted) destroy()

  async function * read (): AsyncGenerator<OutputChunk, void> {
    for await (const chunk of output as AsyncIterable<OutputChunk>) {
      record.bytes[chunk.output] += chunk.bytes.length
      yield chunk
    }
  }

  async function exitCode (): Promise<number> {
    const code = await waitForExit(engine, record, ended)
    if (code === null) throw new DockApiError('container_not_running', 'The container ended, or was removed, before the command did.')
    return code
  }

  async function explain (error: unknown): Promise<unknown> {
    if (!ended.aborted && closing === undefined) return error
    await close()
    if (!over.aborted) return gone.reason instanceof DockApiError ? gone.reason : new DockApiError('client_gone', 'The client went away.', { cause: error })
    const isEnded = record.endedAt !== undefined
    return new DockApiError('exec_timeout', `The command had not ended after ${order.timeoutMs! / 1000} seconds${isEnded ? '' : ', and could not be ended'}.`,
      { details: { id: record.containerId, exec_id: id, ended: isEnded }, cause: error })
  }

  function close (): Promise<void> {
    closing ??= end()
    return closing
  }

  async function end () {
    onClose()
    ended.removeEventListener('abort', destroy)
    socket.destroy()
    if (!order.isDetached || over.aborted) await endExec(engine, record)
    events.emit('close')
  }

  function destroy () {
    close().catch(() => {})
  }

  return {
    record,
    output: read,
    stdin: socket,
    resize,
    signal: (name) => signalExec(engine, record, name),
    exitCode,
    explain,
    close,
    destroy,
    once: (event, listener) => { events.once(event, listener) }
  }
}

function refuseUnlessRunning (document: ContainerDocument): void {
  const { Status: status } = document.State
  if (status === 'running') return
  const name = document.Name.slice(1)
  if (status === 'paused') throw new DockApiError('container_paused', `The container "${name}" is paused.`)
  throw new DockApiError('container_not_running', `The container "${name}" is ${status}, so no command can run in it.`)
}

/**
 * When the connection to a command ends before the command does. That of a detached one outlasts the client, until the server shuts down: Docker 20.10 reports
 * 126 for a command whose connection was cut, whatever it exits with.
 */
function endOf ({ isDetached }: ExecOrder, gone: AbortSignal, over: AbortSignal): AbortSignal {
  if (!isDetached) return AbortSignal.any([gone, over])
  const closing = new AbortController()
  const close = () => { if (gone.reason instanceof DockApiError) closing.abort(gone.reason) }
  gone.addEventListener('abort', close, { once: true })
  return AbortSignal.any([closing.signal, over])
}

function createMark (): string {
  return `${MARK}=${randomUUID()}`
}

function specOf ({ command, workdir, env, user, isTty, size, hasStdin }: ExecOrder, mark: string): ExecSpec {
  return { command, workdir, env: [...env, mark], user, isTty, size, hasStdin }
}

function createRecord (id: string, containerId: string, order: ExecOrder, mark: string): ExecRecord {
  return { id, containerId, order, mark, startedAt: new Date(), endedAt: undefined, exitCode: null, bytes: { stdin: 0, stdout: 0, stderr: 0 } }
}
