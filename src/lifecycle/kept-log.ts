import { createFrameParser } from '../engine/frames.ts'
import type { OutputChunk, OutputName } from '../engine/frames.ts'

/** One write of a container, or a piece of it: a line with its end, where it has one. */
export type LogEntry = {
  output: OutputName
  /** RFC 3339 with nanoseconds. */
  time: string
  bytes: Buffer
}

/** The end of a log, bounded, both outputs in their order. */
export type KeptLog = {
  readonly entries: readonly LogEntry[]
  /** Whether something was dropped because of the limit. */
  readonly isTruncated: boolean
  add (entries: readonly LogEntry[]): void
}

const STREAMS: Record<OutputName, number> = { stdout: 1, stderr: 2 }
const HEADER_BYTES = 8
const SPACE = 0x20
const NEWLINE = 0x0a

/** @param limitBytes Of what the container wrote; the newest is kept. */
export function createKeptLog (limitBytes: number): KeptLog {
  let entries: LogEntry[] = []
  let size = 0
  let isTruncated = false

  function add (added: readonly LogEntry[]) {
    for (const entry of added) {
      const bytes = entry.bytes.subarray(Math.max(entry.bytes.length - limitBytes, 0))
      isTruncated ||= bytes.length < entry.bytes.length
      // A copy: what came may be a small part of a large buffer.
      entries.push({ ...entry, bytes: Buffer.from(bytes) })
      size += bytes.length
    }
    let dropped = 0
    while (size > limitBytes) size -= entries[dropped++]!.bytes.length
    if (dropped === 0) return
    isTruncated = true
    entries = entries.slice(dropped)
  }

  return { get entries () { return entries }, get isTruncated () { return isTruncated }, add }
}

/** Splits output as it comes, without times, into entries of the time at which their line began to come. */
export function createEntrySplitter (): (chunks: readonly OutputChunk[], nowMs: number) => LogEntry[] {
  const begun: Partial<Record<OutputName, string>> = {}
  return (chunks, nowMs) => chunks.flatMap(({ output, bytes }) => splitLines(bytes).map((line) => {
    const time = begun[output] ?? stampOf(nowMs)
    if (line.at(-1) === NEWLINE) delete begun[output]
    else begun[output] = time
    return { output, time, bytes: line }
  }))
}

/** Splits a log that the engine gives with timestamps. A frame is an entry; a terminal's log has no frames, there a line is one. */
export function createTimedSplitter (isTty: boolean): { push (chunks: readonly OutputChunk[]): LogEntry[], end (): LogEntry[] } {
  let rest: { output: OutputName, bytes: Buffer } | undefined

  function push (chunks: readonly OutputChunk[]): LogEntry[] {
    const entries: LogEntry[] = []
    for (const { output, bytes, startsFrame } of chunks) {
      if (startsFrame === true) entries.push(...end())
      rest = { output, bytes: rest === undefined ? bytes : Buffer.concat([rest.bytes, bytes]) }
      if (!isTty) continue
      const whole = rest.bytes.lastIndexOf(NEWLINE) + 1
      entries.push(...splitLines(rest.bytes.subarray(0, whole)).map((line) => entryOf(output, line)))
      rest = { output, bytes: rest.bytes.subarray(whole) }
    }
    return entries
  }

  function end (): LogEntry[] {
    const last = rest
    rest = undefined
    return last === undefined || last.bytes.length === 0 ? [] : [entryOf(last.output, last.bytes)]
  }

  return { push, end }
}

/** As the engine would send it: frames that begin with their time. */
export function encodeEntries (entries: readonly LogEntry[]): Buffer {
  return Buffer.concat(entries.flatMap(({ output, time, bytes }) => {
    const header = Buffer.alloc(HEADER_BYTES)
    header[0] = STREAMS[output]
    header.writeUInt32BE(time.length + 1 + bytes.length, 4)
    return [header, Buffer.from(`${time} `), bytes]
  }))
}

export function decodeEntries (bytes: Buffer): LogEntry[] {
  return createFrameParser().push(bytes).map(({ output, bytes }) => entryOf(output, bytes))
}

function entryOf (output: OutputName, bytes: Buffer): LogEntry {
  const space = bytes.indexOf(SPACE)
  return { output, time: bytes.toString('latin1', 0, Math.max(space, 0)), bytes: bytes.subarray(space + 1) }
}

function splitLines (bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline === -1 ? bytes.length : newline + 1
    lines.push(bytes.subarray(start, end))
    start = end
  }
  return lines
}

/** In the engine's own form. */
function stampOf (ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000000Z`
}
