import type { OutputChunk } from '../engine/frames.ts'

export type CollectedOutput = { stdout: string, stderr: string, truncated: boolean }

/** What a JSON answer carries of each output at most, in bytes. */
export const OUTPUT_LIMIT_BYTES = 1024 ** 2

/**
 * Gathers both outputs as text until the stream ends. Past the limit it goes on reading, so that the process in the
 * container is never blocked, and keeps nothing. Bytes that are no UTF-8 become U+FFFD: JSON carries text only.
 */
export async function collectOutput (output: AsyncIterable<OutputChunk>, limitBytes = OUTPUT_LIMIT_BYTES): Promise<CollectedOutput> {
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  const sizes = { stdout: 0, stderr: 0 }
  let truncated = false
  for await (const chunk of output) {
    const room = limitBytes - sizes[chunk.output]
    if (chunk.bytes.length > room) truncated = true
    if (room <= 0) continue
    const bytes = chunk.bytes.subarray(0, room)
    sizes[chunk.output] += bytes.length
    kept[chunk.output].push(bytes)
  }
  return { stdout: Buffer.concat(kept.stdout).toString(), stderr: Buffer.concat(kept.stderr).toString(), truncated }
}
