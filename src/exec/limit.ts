import type { OutputChunk } from '../engine/frames.ts'

/** Cuts each output after so many bytes. What is cut is still read, so that the command is never blocked. */
export type OutputLimit = {
  /** The part of a chunk that is within the limit; empty when none is. */
  take (chunk: OutputChunk): Buffer
  readonly isReached: boolean
}

export function createOutputLimit (limitBytes = Infinity): OutputLimit {
  const left = { stdout: limitBytes, stderr: limitBytes }
  let isReached = false

  function take ({ output, bytes }: OutputChunk): Buffer {
    const kept = bytes.length <= left[output] ? bytes : bytes.subarray(0, left[output])
    left[output] -= kept.length
    isReached ||= kept.length < bytes.length
    return kept
  }

  return { take, get isReached () { return isReached } }
}
