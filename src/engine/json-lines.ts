/** A line longer than this is no event, in bytes. */
const MAX_LINE_BYTES = 1024 ** 2
const NEWLINE = 0x0a

/** Takes the chunks of a stream and returns the JSON documents that became complete, one a line. */
export type JsonLines = {
  /** @returns In order; `undefined` in the place of a line that is too long or no JSON. */
  push (chunk: Buffer): unknown[]
}

/** Chunks may end anywhere, also within a character. What is kept of an unfinished line is bounded. */
export function createJsonLines (maxLineBytes = MAX_LINE_BYTES): JsonLines {
  let parts: Buffer[] = []
  let bytes = 0

  function keep (part: Buffer) {
    bytes += part.length
    if (bytes <= maxLineBytes) parts.push(part)
    else parts = []
  }

  function finish (): unknown[] {
    const line = bytes <= maxLineBytes ? Buffer.concat(parts).toString().trim() : undefined
    parts = []
    bytes = 0
    return line === '' ? [] : [line === undefined ? undefined : parse(line)]
  }

  function push (chunk: Buffer): unknown[] {
    const documents: unknown[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end))
      documents.push(...finish())
      start = end + 1
    }
    if (start < chunk.length) keep(chunk.subarray(start))
    return documents
  }

  return { push }
}

function parse (line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
