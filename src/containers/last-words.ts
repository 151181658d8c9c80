import { setTimeout as sleep } from 'node:timers/promises'
import { openAttach } from '../engine/attach.ts'
import { openLogs } from '../engine/logs.ts'
import { inspectContainer } from '../engine/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { beginWait } from '../engine/waiting.ts'
import type { OutputChunk } from '../engine/frames.ts'

/** What is told of a container that did not become ready. */
export type LastWords = { state: string, exit_code: number | null, log_tail: string[] }

const TAIL_LINES = 20
const TAIL_BYTES = 8 * 1024
const ASK_TIMEOUT_MS = 2_000
const MAX_WATCH_MS = 3600_000

/** Asks the engine for state, exit code and last log lines. Never throws: it is used while another failure is told. */
export async function askLastWords (engine: Engine, id: string): Promise<LastWords> {
  try {
    const { State: state, Config: { Tty: isTty } } = await inspectContainer(engine, id, { timeoutMs: ASK_TIMEOUT_MS })
    const lines = await readTail(engine, { id, isTty }).catch(() => [])
    return { state: state.Status, exit_code: state.Running ? null : state.ExitCode, log_tail: lines }
  } catch {
    return { state: 'removed', exit_code: null, log_tail: [] }
  }
}

/**
 * Listens to a container that the engine removes when it ends, since nobody can be asked afterwards. Call it before the
 * start, so that nothing is missed.
 * @returns A function that tells what was heard, once both the output and the exit code are in; `signal` ends the listening.
 */
export async function listenForLastWords (engine: Engine, created: ContainerDocument, signal: AbortSignal): Promise<() => Promise<LastWords>> {
  const output = await openAttach(engine, { id: created.Id, isTty: created.Config.Tty }, { signal })
  const { exitCode } = await beginWait(engine, created.Id, 'next-exit', { timeoutMs: MAX_WATCH_MS, signal })
  const exit = exitCode.catch(() => null)
  let tail = Buffer.alloc(0)
  const listen = async () => {
    for await (const { bytes } of output as AsyncIterable<OutputChunk>) tail = Buffer.concat([tail, bytes]).subarray(-TAIL_BYTES)
  }
  const heard = listen().catch(() => {})
  return async () => {
    const [code] = await Promise.race([Promise.all([exit, heard]), sleep(ASK_TIMEOUT_MS, [null], { ref: false })])
    return { state: 'removed', exit_code: code ?? null, log_tail: linesOf(tail) }
  }
}

async function readTail (engine: Engine, container: { id: string, isTty: boolean }): Promise<string[]> {
  const query = { tail: TAIL_LINES, isFollowing: false, hasStdout: true, hasStderr: true, hasTimestamps: false }
  const chunks: Buffer[] = []
  for await (const pieces of await openLogs(engine, container, query, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) })) chunks.push(...pieces.map(({ bytes }) => bytes))
  return linesOf(Buffer.concat(chunks).subarray(-TAIL_BYTES))
}

function linesOf (bytes: Buffer): string[] {
  return bytes.toString().split(/\r?\n/).filter((line) => line !== '').slice(-TAIL_LINES)
}
