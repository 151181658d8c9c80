import { malformed } from './upstream-failure.ts'
import { parseField } from './response-head.ts'

// Thirteen hexadecimal digits stay below 2^53. Extensions are read and dropped (RFC 9112 7.1.1).
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/
const QUOTED = /"(?:[\t\x20!#-[\]-~\x80-\xff]|\\[\t\x20-~\x80-\xff])*"/
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]{1,13})(?:;${TOKEN.source}(?:=(?:${TOKEN.source}|${QUOTED.source}))?)*$`)
// eslint-disable-next-line no-control-regex
const FORBIDDEN_IN_TRAILER = /[\0-\x08\x0a-\x1f\x7f]/
const MAX_LINE = 4096
const MAX_TRAILERS = 16 * 1024
const LF = 0x0a
const CR = 0x0d

/** Takes a chunked body apart as it arrives (RFC 9112 7.1). */
export type ChunkedDecoder = {
  /**
   * Reads `bytes` from `offset`; gives the body to `onData` and, after the last chunk, the trailer fields to `onEnd`.
   * @returns How far it read: the end of `bytes`, or what follows the body.
   * @throws UpstreamFailure `malformed`.
   */
  read (bytes: Buffer, offset: number): number
}

export function createChunkedDecoder (onData: (data: Buffer) => void, onEnd: (trailers: string[]) => void): ChunkedDecoder {
  let step: 'size' | 'data' | 'data-end' | 'trailers' | 'done' = 'size'
  let remaining = 0
  let partial = ''
  const trailers: string[] = []
  let trailerBytes = 0

  function read (bytes: Buffer, offset: number): number {
    while (offset < bytes.length && step !== 'done') {
      if (step === 'data') offset = readData(bytes, offset)
      else offset = readLine(bytes, offset)
    }
    return offset
  }

  function readData (bytes: Buffer, offset: number): number {
    const end = Math.min(bytes.length, offset + remaining)
    remaining -= end - offset
    if (remaining === 0) step = 'data-end'
    onData(bytes.subarray(offset, end))
    return end
  }

  function readLine (bytes: Buffer, offset: number): number {
    const end = bytes.indexOf(LF, offset)
    if (end === -1) {
      partial += bytes.toString('latin1', offset)
      if (partial.length > MAX_LINE) throw malformed('an endless line in a chunked body')
      return bytes.length
    }
    const line = partial + bytes.toString('latin1', offset, end)
    if (line.length > MAX_LINE) throw malformed('an endless line in a chunked body')
    if (line.charCodeAt(line.length - 1) !== CR) throw malformed('a line without CRLF in a chunked body')
    partial = ''
    takeLine(line.slice(0, -1))
    return end + 1
  }

  function takeLine (line: string) {
    if (step === 'size') takeSize(line)
    else if (step === 'trailers') takeTrailer(line)
    else if (line === '') step = 'size'
    else throw malformed('a chunk longer than its size')
  }

  function takeSize (line: string) {
    const size = SIZE_LINE.exec(line)
    if (size === null) throw malformed('a chunk without a proper size')
    remaining = Number.parseInt(size[1]!, 16)
    step = remaining === 0 ? 'trailers' : 'data'
  }

  function takeTrailer (line: string) {
    if (line === '') {
      step = 'done'
      onEnd(trailers)
      return
    }
    trailerBytes += line.length
    if (trailerBytes > MAX_TRAILERS) throw malformed('too many trailers')
    if (FORBIDDEN_IN_TRAILER.test(line)) throw malformed('a control character in a trailer')
    const [name, value] = parseField(line)
    if (/^(?:content-length|transfer-encoding)$/i.test(name)) throw malformed('framing after its body')
    trailers.push(name, value)
  }

  return { read }
}
