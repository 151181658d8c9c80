import { isUtf8 } from 'node:buffer'

/** A piece of output in JSON. */
export type OutputText = { data: string, encoding?: 'base64' }

/** Bytes as text, piece by piece. */
export type TextEncoderOfOutput = {
  push (bytes: Buffer): OutputText[]
  /** What was kept back at the end. */
  flush (): OutputText[]
}

/** The longest character of UTF-8, in bytes. */
const LONGEST = 4

/**
 * Text where the bytes are UTF-8, base64 where they are not; joined again, the pieces are the very bytes. A character that is cut in two by the end of a
 * piece waits for its rest.
 */
export function createOutputText (): TextEncoderOfOutput {
  let kept: Buffer = Buffer.alloc(0)

  function push (bytes: Buffer): OutputText[] {
    const all = kept.length === 0 ? bytes : Buffer.concat([kept, bytes])
    const length = all.length - lengthOfCutCharacter(all)
    const whole = all.subarray(0, length)
    if (isUtf8(whole)) {
      kept = Buffer.from(all.subarray(length))
      return whole.length === 0 ? [] : [{ data: whole.toString() }]
    }
    kept = Buffer.alloc(0)
    return [base64(all)]
  }

  function flush (): OutputText[] {
    const rest = kept
    kept = Buffer.alloc(0)
    return rest.length === 0 ? [] : [base64(rest)]
  }

  return { push, flush }
}

function base64 (bytes: Buffer): OutputText {
  return { data: bytes.toString('base64'), encoding: 'base64' }
}

/** How many bytes at the end begin a character that is not complete (RFC 3629 section 3). */
function lengthOfCutCharacter (bytes: Buffer): number {
  for (let back = 1; back < LONGEST && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0
  }
  return 0
}
