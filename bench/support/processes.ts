import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'

const TICKS_PER_SECOND = 100

/** The path of a tool, or `undefined` when this machine does not have it. */
export function findTool (name: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${name}`], { encoding: 'utf8' }).trim()
  } catch {
    return undefined
  }
}

const running = new Set<ChildProcess>()
process.once('exit', () => { for (const child of running) child.kill('SIGKILL') })

/** Starts a program on one core; it ends with this process at the latest. */
export function start (core: number, command: string, args: string[]): ChildProcess {
  const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  running.add(child)
  child.once('exit', () => { running.delete(child) })
  return child
}

/** Starts one of our programs, which prints its port first. */
export async function startNode (core: number, script: string, ...args: string[]): Promise<{ child: ChildProcess, port: number }> {
  const child = start(core, process.execPath, [new URL(script, import.meta.url).pathname, ...args])
  const [line] = await once(createInterface({ input: child.stdout! }), 'line') as [string]
  return { child, port: Number(line) }
}

/** CPU seconds that a process and its children have used, in user and system mode. */
export function cpuSeconds (pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + ticksOf(each), 0) / TICKS_PER_SECOND
}

function ticksOf (pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function childrenOf (pid: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((other) => parentOf(other) === pid)
}

function parentOf (pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1])
  } catch {
    return undefined
  }
}

/** Resident memory of a process, in bytes. */
export function residentBytes (pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}
