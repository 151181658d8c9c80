import { createChunkedDecoder } from './chunked.ts'
import type { ChunkedDecoder } from './chunked.ts'
import { parseResponseHead } from './response-head.ts'
import type { ResponseHead } from './response-head.ts'
import { malformed } from './upstream-failure.ts'

const HEAD_END = Buffer.from('\r\n\r\n')
const START = 'HTTP/1.'
const MAX_HEAD = 64 * 1024
/** Interim answers (1xx) to one request; each is relayed, so their number is bounded. */
const MAX_INTERIM = 16

/** What is known of the request whose answer comes next. */
export type Expectation = { isHead: boolean, isUpgrade: boolean }

export type ResponseEvents = {
  /** An interim answer other than 100 and 101. */
  onInterim (head: ResponseHead): void
  onHead (head: ResponseHead): void
  onData (data: Buffer): void
  onEnd (trailers: string[]): void
  /** The upstream switched protocols; `rest` are the first bytes of the new one. */
  onSwitch (head: ResponseHead, rest: Buffer): void
}

/** Reads the answers of one connection, one expected answer at a time. Strict: a byte that nobody asked for is an error. */
export type ResponseParser = {
  expect (expectation: Expectation): void
  /** @throws UpstreamFailure `malformed`; the connection must then be closed. */
  read (bytes: Buffer): void
  /** The connection ended. @returns Whether that completed the answer. */
  finish (): boolean
  /** Nothing more is read or reported. */
  stop (): void
}

export function createResponseParser (events: ResponseEvents): ResponseParser {
  let state: 'idle' | 'head' | 'length' | 'chunked' | 'until-close' | 'stopped' = 'idle'
  let expected: Expectation = { isHead: false, isUpgrade: false }
  let partial: Buffer | undefined
  let remaining = 0
  let interimCount = 0
  let chunked: ChunkedDecoder | undefined

  function expect (expectation: Expectation) {
    expected = expectation
    interimCount = 0
    state = 'head'
  }

  function read (bytes: Buffer) {
    let offset = 0
    while (offset < bytes.length) {
      if (state === 'head') offset = readHead(bytes, offset)
      else if (state === 'length') offset = readLength(bytes, offset)
      else if (state === 'chunked') offset = chunked!.read(bytes, offset)
      else if (state === 'until-close') offset = readAll(bytes, offset)
      else if (state === 'stopped') return
      else throw malformed('bytes after its answer')
    }
  }

  function readHead (bytes: Buffer, offset: number): number {
    const known = partial === undefined ? 0 : partial.length
    const data = partial === undefined ? bytes.subarray(offset) : Buffer.concat([partial, bytes.subarray(offset)])
    const end = data.indexOf(HEAD_END, Math.max(0, known - HEAD_END.length + 1))
    if (end === -1 || end > MAX_HEAD) {
      refuseHopeless(data)
      partial = data
      return bytes.length
    }
    partial = undefined
    const next = offset + end + HEAD_END.length - known
    const head = parseResponseHead(data.toString('latin1', 0, end))
    if (head.status === 101) return switchProtocol(head, bytes, next)
    if (head.status < 200) takeInterim(head)
    else takeHead(head)
    return next
  }

  /** Garbage is refused as soon as it is seen, not when the time for an answer is over. */
  function refuseHopeless (data: Buffer) {
    if (data.length > MAX_HEAD) throw malformed('an endless head')
    const start = data.toString('latin1', 0, START.length)
    if (!START.startsWith(start)) throw malformed('no HTTP/1.1')
    if (/[^\r]\n/.test(data.toString('latin1'))) throw malformed('a line without CRLF')
  }

  function switchProtocol (head: ResponseHead, bytes: Buffer, next: number): number {
    if (!expected.isUpgrade) throw malformed('101 although nobody asked to switch protocols')
    state = 'stopped'
    events.onSwitch(head, bytes.subarray(next))
    return bytes.length
  }

  function takeInterim (head: ResponseHead) {
    interimCount++
    if (interimCount > MAX_INTERIM) throw malformed('too many interim answers')
    if (head.status !== 100) events.onInterim(head)
  }

  function takeHead (head: ResponseHead) {
    const isBodiless = expected.isHead || head.status === 204 || head.status === 304 || head.framing === 0
    if (typeof head.framing === 'number') remaining = head.framing
    if (head.framing === 'chunked') chunked = createChunkedDecoder(events.onData, end)
    events.onHead(head)
    if (isStopped()) return
    if (isBodiless) end([])
    else state = typeof head.framing === 'number' ? 'length' : head.framing
  }

  function readLength (bytes: Buffer, offset: number): number {
    const next = Math.min(bytes.length, offset + remaining)
    remaining -= next - offset
    events.onData(bytes.subarray(offset, next))
    if (remaining === 0 && !isStopped()) end([])
    return next
  }

  function readAll (bytes: Buffer, offset: number): number {
    events.onData(bytes.subarray(offset))
    return bytes.length
  }

  function end (trailers: string[]) {
    if (isStopped()) return
    state = 'idle'
    chunked = undefined
    events.onEnd(trailers)
  }

  function finish (): boolean {
    if (state !== 'until-close') return false
    end([])
    return true
  }

  function stop () {
    state = 'stopped'
    partial = undefined
  }

  // A function, because an event may have stopped the parser since the last look.
  function isStopped (): boolean {
    return state === 'stopped'
  }

  return { expect, read, finish, stop }
}
