import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Failure, lastLines } from './failure.ts'
import type { Say } from './progress.ts'

export type RunningServer = {
  /** Such as `http://127.0.0.1:8000`. */
  origin: string
  /** Settles when the process ends, whoever ended it. */
  ended: Promise<void>
  stop (): Promise<void>
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const DEFAULT_PORT = 8000
const START_TIMEOUT_MS = 30_000

/** A little longer than the server's own grace. */
const STOP_TIMEOUT_MS = 15_000

/**
 * Starts the server as a process of its own, on 127.0.0.1 and open, whatever the environment says of hosts and tokens:
 * DOCKAPI_PORT (else 8000, else any free port) and DOCKAPI_LOG_LEVEL are the only settings that pass.
 * @param environment Leads to the engine.
 * @throws Failure with what the server printed when it does not come up.
 */
export async function startServer (environment: Record<string, string>, say: Say, signal: AbortSignal): Promise<RunningServer> {
  const port = process.env.DOCKAPI_PORT ?? String(await choosePort(say))
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DOCKAPI_')))
  const child = spawn(process.execPath, [MAIN], {
    env: { ...inherited, ...environment, DOCKAPI_PORT: port, DOCKAPI_DATA_DIR: 'memory', DOCKAPI_LOG_LEVEL: process.env.DOCKAPI_LOG_LEVEL ?? 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl+C reaches a terminal's whole process group; the server is stopped in its turn.
    detached: process.platform !== 'win32'
  })
  const ended = once(child, 'close').then(() => {}, () => {})
  const stop = () => stopServer(child, ended)
  try {
    return { origin: await readOrigin(child, signal), ended, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Waits for the line that names the server's address; after it the server's output goes to the user. */
async function readOrigin (child: ChildProcess, signal: AbortSignal): Promise<string> {
  const ready = Promise.withResolvers<string>()
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(START_TIMEOUT_MS)])
  let output = ''
  let isReady = false
  const read = (chunk: Buffer) => {
    if (isReady) {
      process.stdout.write(chunk)
      return
    }
    output += chunk.toString()
    const origin = /dockAPI (http:\/\/\S+)/.exec(output)?.[1]
    if (origin !== undefined) ready.resolve(origin)
  }
  child.stdout!.on('data', read)
  child.stderr!.on('data', read)
  child.once('error', (error) => ready.reject(new Failure(`The server could not be started: ${error.message}`)))
  child.once('close', () => ready.reject(new Failure('The server ended at once.', lastLines(output))))
  deadline.addEventListener('abort', () => ready.reject(signal.aborted ? signal.reason as Error : new Failure('The server did not come up in time.', lastLines(output))))
  try {
    return await ready.promise
  } finally {
    isReady = true
  }
}

async function stopServer (child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM')
  const timer = new AbortController()
  const kill = delay(STOP_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => child.kill('SIGKILL'), () => {})
  await ended
  timer.abort()
  await kill
}

async function choosePort (say: Say): Promise<number> {
  const probe = createServer().listen(DEFAULT_PORT, '127.0.0.1')
  try {
    await once(probe, 'listening')
    return DEFAULT_PORT
  } catch {
    say(`port ${DEFAULT_PORT} is taken; the server takes another`)
    return 0
  } finally {
    if (probe.listening) await new Promise((resolve) => probe.close(resolve))
  }
}
