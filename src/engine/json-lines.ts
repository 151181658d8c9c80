import { createLines } from './lines.ts'

/** Takes the chunks of a stream and returns the JSON documents that became complete, one a line. */
export type JsonLines = {
  /** @returns In order; `undefined` in the place of a line that is too long or no JSON. */
  push (chunk: Buffer): unknown[]
}

/** Chunks may end anywhere, also within a character. What is kept of an unfinished line is bounded. */
export function createJsonLines (maxLineBytes?: number): JsonLines {
  const lines = createLines(maxLineBytes)
  return { push: (chunk) => lines.push(chunk).map((line) => line === undefined ? undefined : parse(line)) }
}

function parse (line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
