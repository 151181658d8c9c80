import { openLogs } from '../engine/logs.ts'
import { inspectContainer, waitForContainer } from '../engine/containers.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
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
 * Listens to a container that the engine removes when it ends, since nobody can be asked afterwards.
 * @returns A function that tells what was heard; `signal` ends the listening.
 */
export function listenForLastWords (engine: Engine, document: ContainerDocument, signal: AbortSignal): () => LastWords {
  const container = { id: document.Id, isTty: document.Config.Tty }
  let exitCode: number | null = null
  let tail = Buffer.alloc(0)
  waitForContainer(engine, container.id, 'next-exit', { timeoutMs: MAX_WATCH_MS, signal }).then((code) => { exitCode = code }, () => {})
  const listen = async () => {
    const query = { tail: TAIL_LINES, isFollowing: true, hasStdout: true, hasStderr: true, hasTimestamps: false }
    for await (const { bytes } of await openLogs(engine, container, query, { signal }) as AsyncIterable<OutputChunk>) {
      tail = Buffer.concat([tail, bytes]).subarray(-TAIL_BYTES)
    }
  }
  listen().catch(() => {})
  return () => ({ state: 'removed', exit_code: exitCode, log_tail: linesOf(tail) })
}

async function readTail (engine: Engine, container: { id: string, isTty: boolean }): Promise<string[]> {
  const query = { tail: TAIL_LINES, isFollowing: false, hasStdout: true, hasStderr: true, hasTimestamps: false }
  const chunks: Buffer[] = []
  for await (const { bytes } of await openLogs(engine, container, query, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) }) as AsyncIterable<OutputChunk>) {
    chunks.push(bytes)
  }
  return linesOf(Buffer.concat(chunks).subarray(-TAIL_BYTES))
}

function linesOf (bytes: Buffer): string[] {
  return bytes.toString().split(/\r?\n/).filter((line) => line !== '').slice(-TAIL_LINES)
}
