/** A line longer than this is none of the engine's, in bytes. */
const MAX_LINE_BYTES = 1024 ** 2
const NEWLINE = 0x0a

/** Takes the chunks of a stream and returns the lines that became complete. */
export type Lines = {
  /** @returns In order, trimmed, without blank ones; `undefined` in the place of a line that is too long. */
  push (chunk: Buffer): Array<string | undefined>
}

/** Chunks may end anywhere, also within a character. What is kept of an unfinished line is bounded. */
export function createLines (maxLineBytes = MAX_LINE_BYTES): Lines {
  let parts: Buffer[] = []
  let bytes = 0

  function keep (part: Buffer) {
    bytes += part.length
    if (bytes <= maxLineBytes) parts.push(part)
    else parts = []
  }

  function finish (): Array<string | undefined> {
    const line = bytes <= maxLineBytes ? Buffer.concat(parts).toString().trim() : undefined
    parts = []
    bytes = 0
    return line === '' ? [] : [line]
  }

  function push (chunk: Buffer) {
    const lines: Array<string | undefined> = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end))
      lines.push(...finish())
      start = end + 1
    }
    if (start < chunk.length) keep(chunk.subarray(start))
    return lines
  }

  return { push }
}
