import { randomUUID } from 'node:crypto'
import { permitCommand } from '../auth/permit.ts'
import { DockApiError } from '../errors.ts'
import { commandWords } from '../containers/command.ts'
import type { Containers } from '../containers/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { execDetached, execExitCode, openExec } from '../engine/exec.ts'
import type { ExecRequest, ExecResult } from '../../schemas/exec.ts'
import { collectOutput } from './output.ts'

const DEFAULT_TIMEOUT_SECONDS = 60
const KILL_TIMEOUT_MS = 2_000
/** Marks the processes of one exec, so that they can be found from inside: the engine has no call to end an exec. */
const MARK = 'DOCKAPI_EXEC'

/**
 * Runs a command in a running container and waits for its end. A non-zero exit is a result, not an error.
 * @throws DockApiError `token_restricted`, `container_not_running`, `container_paused`, `exec_timeout` (the command was ended where the image has a shell), `client_gone`.
 */
export async function runCommand (containers: Containers, document: ContainerDocument, request: ExecRequest, signal: AbortSignal): Promise<ExecResult> {
  const command = commandWords(request.command, '/command')
  permitCommand(containers.grant, command, request)
  refuseUnlessRunning(document)
  const mark = `${MARK}=${randomUUID()}`
  const timeoutMs = (request.timeout ?? DEFAULT_TIMEOUT_SECONDS) * 1000
  const deadline = AbortSignal.timeout(timeoutMs)
  const ended = AbortSignal.any([signal, deadline])
  try {
    const { id, socket, output } = await openExec(containers.engine, document.Id, {
      command,
      workdir: request.workdir,
      env: [...Object.entries(request.env ?? {}).map(([name, value]) => `${name}=${value}`), mark],
      user: request.user,
      isTty: request.tty ?? false,
      hasStdin: request.stdin !== undefined
    }, { signal: ended })
    const release = () => { socket.destroy() }
    ended.addEventListener('abort', release, { once: true })
    if (request.stdin !== undefined) socket.end(request.stdin)
    const { stdout, stderr, truncated } = await collectOutput(output).finally(() => ended.removeEventListener('abort', release))
    ended.throwIfAborted()
    const exitCode = await execExitCode(containers.engine, id, { signal })
    return { id: document.Id, exit_code: exitCode ?? -1, stdout, stderr: stderr === '' ? null : stderr, ...(truncated ? { truncated } : {}) }
  } catch (error) {
    if (!ended.aborted) throw error
    await endProcesses(containers.engine, document.Id, mark)
    if (signal.aborted) throw new DockApiError('client_gone', 'The client went away.', { cause: error })
    throw new DockApiError('exec_timeout', `The command had not ended after ${timeoutMs / 1000} seconds.`, { details: { id: document.Id }, cause: error })
  }
}

function refuseUnlessRunning (document: ContainerDocument): void {
  const { Status: status } = document.State
  if (status === 'running') return
  const name = document.Name.slice(1)
  if (status === 'paused') throw new DockApiError('container_paused', `The container "${name}" is paused.`)
  throw new DockApiError('container_not_running', `The container "${name}" is ${status}, so no command can run in it.`)
}

/** Ends what carries the mark, with the container's own shell. An image without one keeps the process; the caller is told so in the docs. */
async function endProcesses (engine: Engine, containerId: string, mark: string): Promise<void> {
  const script = `for p in /proc/[0-9]*; do if tr '\\0' '\\n' <"$p/environ" 2>/dev/null | grep -qx '${mark}'; then kill -9 "\${p#/proc/}"; fi; done`
  await execDetached(engine, containerId, ['sh', '-c', script], { timeoutMs: KILL_TIMEOUT_MS }).catch(() => {})
}
