import { readFile } from 'node:fs/promises'

/**
 * Signals a process of this machine and its descendants, when it is what the mark says: dockAPI may run elsewhere than the engine, or in
 * a container, where the same number is another process or none. The mark is a secret of one command, so that its presence in the environment
 * proves the process.
 * @returns Whether it was signalled. False where it is not seen, or may not be signalled.
 */
export async function signalHostProcess (pid: number, mark: string, signal: NodeJS.Signals): Promise<boolean> {
  if (process.platform !== 'linux' || pid <= 1 || !await hasMark(pid, mark)) return false
  const family = [pid, ...await descendantsOf(pid)]
  let isSignalled = false
  for (const member of family) isSignalled = trySignal(member, signal) || isSignalled
  return isSignalled
}

async function hasMark (pid: number, mark: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
  return environment.split('\0').includes(mark)
}

async function descendantsOf (pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '')
  const children = text.split(' ').filter((word) => word !== '').map(Number)
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()]
}

function trySignal (pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}
