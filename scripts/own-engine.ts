import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createEngine } from '../src/engine/engine.ts'
import { findProgram } from './apt.ts'
import { Failure, lastLines } from './failure.ts'
import { createOwnNetwork, removeOwnNetwork } from './own-network.ts'

/** Everything of the project's own engine lives here, so that a Docker of the user is never touched. */
const FOLDER = resolve(process.env.DOCKAPI_ENGINE_DIR ?? '/var/lib/dockapi-engine')
const USERS = join(FOLDER, 'users')
const LOG = join(FOLDER, 'dockerd.log')
const PID_FILE = join(FOLDER, 'pid')
export const OWN_ENGINE_HOST = `unix://${join(FOLDER, 'docker.sock')}`

const START_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 30_000
const POLL_MS = 100
const PING_TIMEOUT_MS = 5_000

/** Linux capabilities without which dockerd cannot start (capability.h): CAP_NET_ADMIN and CAP_SYS_ADMIN. */
const NEEDED_CAPABILITIES = (1n << 12n) | (1n << 21n)

/** Whether this process has what dockerd needs; root in an ordinary container has not. */
export async function mayRunEngine (): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const status = await readFile('/proc/self/status', 'utf8')
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return (capabilities & NEEDED_CAPABILITIES) === NEEDED_CAPABILITIES
}

/**
 * Joins the users of the project's own engine, and starts it when it does not run. Several commands may use it at once;
 * the last one that leaves stops it.
 * @returns The folder of its data, and `leave`, to be called once; it says whether the engine was stopped.
 * @throws Failure with the last lines of its log when it does not come up.
 */
export async function joinOwnEngine (signal: AbortSignal): Promise<{ folder: string, leave: () => Promise<boolean> }> {
  await mkdir(USERS, { recursive: true, mode: 0o700 })
  const mark = join(USERS, String(process.pid))
  await writeFile(mark, '')
  try {
    if (!await isOwnEngineUp()) await start(signal)
    return { folder: FOLDER, leave: () => leave(mark) }
  } catch (error) {
    await leave(mark)
    throw error
  }
}

export async function isOwnEngineUp (): Promise<boolean> {
  const engine = createEngine({ DOCKER_HOST: OWN_ENGINE_HOST })
  const isUp = await engine.call('ping', (docker) => docker.ping(), { timeoutMs: PING_TIMEOUT_MS }).then(() => true, () => false)
  await engine.close()
  return isUp
}

async function leave (mark: string): Promise<boolean> {
  await rm(mark, { force: true })
  for (const user of await readdir(USERS)) {
    if (await isRunning(Number(user))) return false
    await rm(join(USERS, user), { force: true })
  }
  return await stop()
}

async function start (signal: AbortSignal): Promise<void> {
  if (await findDaemon() === undefined) await rm(PID_FILE, { force: true })
  const dockerd = await findProgram('dockerd')
  if (dockerd === undefined) throw new Failure('dockerd is not installed.')
  // dockerd 20.10 deletes docker0, whoever owns it, when it finds a default network in its store and is given another bridge.
  await rm(join(FOLDER, 'data', 'network'), { recursive: true, force: true })
  const log = await open(LOG, 'w', 0o600)
  const args = ['--data-root', join(FOLDER, 'data'), '--exec-root', join(FOLDER, 'exec'), '--pidfile', PID_FILE, '-H', OWN_ENGINE_HOST, ...await createOwnNetwork(FOLDER)]
  // In a process group of its own: Ctrl+C in a terminal reaches the whole group, and the engine has to outlive what runs on it.
  const child = spawn(dockerd, args, { detached: true, stdio: ['ignore', log.fd, log.fd] })
  child.unref()
  await log.close()
  try {
    await waitUntilUp(child, signal)
  } catch (error) {
    child.kill()
    throw error
  }
}

async function waitUntilUp (child: ChildProcess, signal: AbortSignal): Promise<void> {
  let failure: Error | undefined
  child.once('error', (error) => { failure = error })
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS)
  while (!deadline.aborted) {
    signal.throwIfAborted()
    if (await isOwnEngineUp()) return
    // A daemon that ended may have met another that is starting for a command like this one.
    const hasEnded = failure !== undefined || child.exitCode !== null || child.signalCode !== null
    if (hasEnded && await findDaemon() === undefined) break
    await delay(POLL_MS)
  }
  const log = await readFile(LOG, 'utf8').catch(() => '')
  throw new Failure(`The Docker engine did not start${failure === undefined ? '' : ` (${failure.message})`}.`,
    `${lastLines(log)}\n\nThe whole log is ${LOG}. Start Docker yourself, or point DOCKER_HOST at an engine that runs, and try again.`)
}

async function stop (): Promise<boolean> {
  const pid = await findDaemon()
  if (pid === undefined) return false
  process.kill(pid, 'SIGTERM')
  const deadline = AbortSignal.timeout(STOP_TIMEOUT_MS)
  while (await isRunning(pid)) {
    if (deadline.aborted) process.kill(pid, 'SIGKILL')
    await delay(POLL_MS)
  }
  await removeOwnNetwork(FOLDER)
  return true
}

/** The process id of the project's own daemon, if it runs. A pid file may be stale and its number taken by another program. */
async function findDaemon (): Promise<number | undefined> {
  const pid = Number(await readFile(PID_FILE, 'utf8').catch(() => ''))
  if (pid === 0) return undefined
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return command.includes('dockerd') && command.includes(PID_FILE) ? pid : undefined
}

async function isRunning (pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return status !== '' && !/^State:\s*Z/m.test(status)
}
