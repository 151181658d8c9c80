/** Frames of RFC 6455 as a client sends them, and worse. */
export type FrameOptions = { isFinal?: boolean, reserved?: number, isMasked?: boolean, /** What the header claims. */ length?: number }

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export function frame (opcode: number, payload: Buffer | string = '', { isFinal = true, reserved = 0, isMasked = true, length }: FrameOptions = {}): Buffer {
  const bytes = Buffer.from(payload)
  const claimed = length ?? bytes.length
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode
  const mask = isMasked ? 0x80 : 0
  const header = claimed < 126
    ? Buffer.of(first, mask | claimed)
    : claimed < 65_536 ? Buffer.of(first, mask | 126, claimed >> 8, claimed & 255) : Buffer.concat([Buffer.of(first, mask | 127), lengthOf(claimed)])
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([header, ...(isMasked ? [Buffer.alloc(4)] : []), bytes])
}

function lengthOf (length: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(length))
  return bytes
}

/** The code of the close frame among a server's frames; undefined when there is none yet. */
export function closeCode (bytes: Buffer): number | undefined {
  for (let offset = 0; offset + 2 <= bytes.length;) {
    const short = bytes[offset + 1]! & 127
    const start = offset + (short === 126 ? 4 : short === 127 ? 10 : 2)
    if (start > bytes.length) return undefined
    const length = short === 126 ? bytes.readUInt16BE(offset + 2) : short === 127 ? Number(bytes.readBigUInt64BE(offset + 2)) : short
    if ((bytes[offset]! & 15) === OPCODES.close) return start + 2 <= bytes.length ? bytes.readUInt16BE(start) : undefined
    offset = start + length
  }
  return undefined
}
