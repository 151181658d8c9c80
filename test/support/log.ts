export type LogLine = Record<string, unknown> & { msg: string }

/** Takes what the server logs, for tests that read it. */
export type Log = {
  write (line: string): void
  /** As they were written. */
  readonly raw: readonly string[]
  /** @throws when a line is no JSON object by itself. */
  lines (): LogLine[]
}

export function createLog (): Log {
  const raw: string[] = []
  return {
    write (line) { raw.push(line) },
    raw,
    lines: () => raw.map((line) => JSON.parse(line) as LogLine)
  }
}
