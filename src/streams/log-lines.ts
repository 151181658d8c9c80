import { StringDecoder } from 'node:string_decoder'
import type { OutputChunk, OutputName } from '../engine/frames.ts'

/** One line of a log, without its end. */
export type LogLine = {
  stream: OutputName
  /** RFC 3339 with nanoseconds, as the engine wrote it. */
  time: string
  line: string
  /** The line goes on in the next event of the same stream. */
  partial?: true
}

/** Turns the chunks of a log that was opened with timestamps into lines. */
export type LineReader = {
  /** @returns The lines that became complete. */
  push (chunks: readonly OutputChunk[]): LogLine[]
  /** @returns What was left without an end of line. */
  flush (): LogLine[]
}

/** A longer line comes in several events of this many UTF-16 units. */
export const MAX_LINE_LENGTH = 64 * 1024
/** Pieces of this many bytes are what the engine stores of a line that is longer (moby `daemon/logger/copier.go`). */
export const ENGINE_PIECE_BYTES = 16 * 1024
/** More than any timestamp has. */
const MAX_STAMP_BYTES = 40
const SPACE = 0x20
const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * The engine stores a long line in pieces of 16 KiB and writes the time of the first before each of them: pieces with one time are one line again.
 * Where frames tell the pieces apart, a piece with another time is another line, though the one before it had no end. A TTY's log has no frames; there a
 * piece is what follows 16 KiB and the line's own time.
 */
export function createLineReader ({ isTty }: { isTty: boolean }): LineReader {
  const outputs = { stdout: createOutput('stdout', isTty), stderr: createOutput('stderr', isTty) }
  return {
    push: (chunks) => chunks.flatMap((chunk) => outputs[chunk.output].push(chunk)),
    flush: () => [...outputs.stdout.flush(), ...outputs.stderr.flush()]
  }
}

function createOutput (stream: OutputName, isTty: boolean) {
  const decoder = new StringDecoder()
  let lines: LogLine[] = []
  let time = ''
  let text = ''
  let hasLine = false
  /** Bytes of a timestamp that is not complete; undefined within a line. */
  let head: Buffer | undefined = Buffer.alloc(0)
  /** Whether those bytes may as well be content. */
  let isGuess = false
  let pieceBytes = 0

  function push ({ bytes, startsFrame = false }: OutputChunk): LogLine[] {
    lines = []
    if (startsFrame) expectStamp(false)
    let rest = bytes
    while (rest.length > 0) rest = head === undefined ? takeContent(rest) : takeStamp(rest, head)
    return lines
  }

  function expectStamp (guess: boolean) {
    head = Buffer.alloc(0)
    isGuess = guess
    pieceBytes = 0
  }

  function takeStamp (rest: Buffer, known: Buffer): Buffer {
    const space = rest.indexOf(SPACE)
    const end = space === -1 ? rest.length : space + 1
    const joined = Buffer.concat([known, rest.subarray(0, end)])
    if (space === -1 && joined.length <= MAX_STAMP_BYTES && !(isGuess && rest.includes(NEWLINE))) {
      head = joined
      return Buffer.alloc(0)
    }
    head = undefined
    const stamp = space === -1 ? '' : joined.subarray(0, -1).toString('latin1')
    if (isGuess && stamp !== time) return Buffer.concat([known, rest])
    if (hasLine && stamp !== time) finish()
    time = stamp
    hasLine = true
    return rest.subarray(end)
  }

  function takeContent (rest: Buffer): Buffer {
    const newline = rest.indexOf(NEWLINE)
    const room = isTty ? Math.max(ENGINE_PIECE_BYTES - pieceBytes, 0) : rest.length
    const isGuessing = isTty && pieceBytes < ENGINE_PIECE_BYTES && (newline === -1 ? rest.length >= room : newline >= room)
    const end = isGuessing ? room : newline === -1 ? rest.length : newline
    append(rest.subarray(0, end))
    pieceBytes += end
    if (isGuessing) {
      expectStamp(true)
      pieceBytes = 0
      return rest.subarray(end)
    }
    if (newline === -1) return Buffer.alloc(0)
    finish()
    if (isTty) expectStamp(false)
    return rest.subarray(end + 1)
  }

  function append (content: Buffer) {
    text += decoder.write(content)
    while (text.length > MAX_LINE_LENGTH) {
      const length = isHighSurrogate(text.charCodeAt(MAX_LINE_LENGTH - 1)) ? MAX_LINE_LENGTH - 1 : MAX_LINE_LENGTH
      lines.push({ stream, time, line: text.slice(0, length), partial: true })
      text = text.slice(length)
    }
  }

  function finish () {
    text += decoder.end()
    lines.push({ stream, time, line: isTty && text.charCodeAt(text.length - 1) === RETURN ? text.slice(0, -1) : text })
    text = ''
    hasLine = false
  }

  function flush (): LogLine[] {
    lines = []
    if (head !== undefined && isGuess) append(head)
    if (hasLine) finish()
    return lines
  }

  return { push, flush }
}

function isHighSurrogate (unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
