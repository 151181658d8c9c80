import type { OutputName } from '../engine/frames.ts'
import type { TerminalSize } from '../engine/exec.ts'
import { SIGNALS } from '../../schemas/exec.ts'
import type { Problem } from '../../schemas/problem.ts'

/** What a message of a client means. */
export type ClientMessage =
  | { type: 'stdin', bytes: Buffer }
  | { type: 'eof' }
  | { type: 'resize', size: TerminalSize }
  | { type: 'signal', name: NodeJS.Signals }
  | { type: 'invalid', detail: string }

/** A subprotocol: how an interactive command is spoken about over a WebSocket. */
export type Dialect = {
  read (bytes: Buffer, isBinary: boolean): ClientMessage
  started (execId: string): string | Buffer
  output (name: OutputName, bytes: Buffer): Buffer
  exit (code: number, isTruncated: boolean): string | Buffer
  /** What ended the command before it ended by itself. */
  failure (problem: Problem): string | Buffer
  /** What is said of a message that was not understood; undefined when the protocol has no word for it. */
  complaint (detail: string): string | undefined
}

/** `SIGINT` of `SIGINT` and of `INT`; undefined when it is none that may be sent. */
export function parseSignal (text: unknown): NodeJS.Signals | undefined {
  const name = typeof text === 'string' ? text.toUpperCase() : ''
  return SIGNALS.find((signal) => signal === name || signal.slice(3) === name)
}

/** The greatest number of columns or rows that a terminal can have (`struct winsize`). */
const MAX_SIDE = 65_535

export function parseSize (cols: unknown, rows: unknown): TerminalSize | undefined {
  const isSide = (side: unknown): side is number => Number.isInteger(side) && (side as number) >= 1 && (side as number) <= MAX_SIDE
  return isSide(cols) && isSide(rows) ? { cols, rows } : undefined
}

/** The members of a JSON object; undefined when the bytes are none. */
export function parseObject (bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Record<string, unknown> : undefined
  } catch {
    return undefined
  }
}
