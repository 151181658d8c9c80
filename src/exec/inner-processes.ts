import type { Engine } from '../engine/engine.ts'
import { openExec } from '../engine/exec.ts'
import { collectOutput } from '../streams/output.ts'

/** How long the container's shell may take, in milliseconds. */
const TIMEOUT_MS = 2_000

/**
 * Signals every process of a container that carries the mark, with the image's own shell and nothing else of it.
 * @param user As whom the command ran: only the same user sees the environment of its processes, root does not (`CAP_SYS_PTRACE`).
 * @returns Whether any was signalled. False where the image has no `sh`.
 */
export async function signalInnerProcesses (engine: Engine, containerId: string, user: string | undefined, mark: string, signal: NodeJS.Signals): Promise<boolean> {
  const script = 'n=0; for p in /proc/[0-9]*; do while IFS= read -r line || [ -n "$line" ]; do case $line in ' +
    `*${mark}*) kill -${signal.slice(3)} "\${p#/proc/}" && n=$((n+1));; esac; done <"$p/environ"; done 2>/dev/null; echo "signalled $n"`
  const deadline = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const { output } = await openExec(engine, containerId, { command: ['sh', '-c', script], user, isTty: false, hasStdin: false }, { signal: deadline })
    const { stdout } = await collectOutput(output)
    return /^signalled [1-9]/m.test(stdout)
  } catch {
    return false
  }
}
