import { malformed } from './upstream-failure.ts'

/** How the end of a body is found (RFC 9112 6.3): after so many bytes, after the last chunk, or when the connection closes. */
export type Framing = number | 'chunked' | 'until-close'

/** The start of an answer, as the upstream wrote it. */
export type ResponseHead = {
  status: number
  reason: string
  /** Name, value, name, value; order, case and repeats as received. */
  headers: string[]
  framing: Framing
  /** Whether the upstream lets the connection be used again. */
  isPersistent: boolean
  /** What `Keep-Alive: timeout=` promises, in milliseconds. */
  keepAliveMs: number | undefined
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: (.*))?$/
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// A control character, or a CR or LF that is no part of a CRLF.
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/

/**
 * Reads the head of an answer, everything before the empty line, strictly: what two readers could understand in two ways is refused.
 * @throws UpstreamFailure `malformed`.
 */
export function parseResponseHead (text: string): ResponseHead {
  if (FORBIDDEN.test(text)) throw malformed('a control character in a header')
  const lines = text.split('\r\n')
  const start = STATUS_LINE.exec(lines[0]!)
  if (start === null) throw malformed('no HTTP/1.1 status line')

  const isHttp10 = start[1] === '0'
  const headers: string[] = []
  let length: number | undefined
  let coding: string | undefined
  let connection = ''
  let keepAlive: string | undefined
  for (let index = 1; index < lines.length; index++) {
    const [name, value] = parseField(lines[index]!)
    headers.push(name, value)
    // The length tells most fields apart from these four without a lower-case copy of each name.
    switch (name.length) {
      case 10: {
        const lower = name.toLowerCase()
        if (lower === 'connection') connection += `,${value.toLowerCase()}`
        else if (lower === 'keep-alive') keepAlive = value
        break
      }
      case 14:
        if (name.toLowerCase() !== 'content-length') break
        if (length !== undefined) throw malformed('two lengths')
        length = parseLength(value)
        break
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break
        if (coding !== undefined) throw malformed('two transfer codings')
        // Some readers take the tab for a part of the name.
        if (lines[index]!.includes('\t')) throw malformed('a tab beside a transfer coding')
        coding = value.toLowerCase()
        break
    }
  }
  return {
    status: Number(start[2]),
    reason: start[3] ?? '',
    headers,
    framing: frame(length, coding, isHttp10),
    isPersistent: connection === '' ? !isHttp10 : isPersistent(connection, isHttp10),
    keepAliveMs: keepAlive === undefined ? undefined : parseKeepAlive(keepAlive)
  }
}

/**
 * One field line, of a head or of a trailer section.
 * @throws UpstreamFailure `malformed`; a folded line is one of them (RFC 9112 5.2).
 */
export function parseField (line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  const name = line.slice(0, colon)
  if (colon === -1 || !TOKEN.test(name)) throw malformed('a line that is no header')
  return [name, trimSpace(line, colon + 1)]
}

/** Only spaces and tabs are optional whitespace; `trim()` would take more. */
function trimSpace (line: string, start: number): string {
  let end = line.length
  while (start < end && isSpace(line.charCodeAt(start))) start++
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

function isSpace (code: number): boolean {
  return code === 0x20 || code === 0x09
}

function parseLength (value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw malformed('a length that is no number')
  return Number(value)
}

function frame (length: number | undefined, coding: string | undefined, isHttp10: boolean): Framing {
  if (coding === undefined) return length ?? 'until-close'
  if (length !== undefined) throw malformed('a length beside a transfer coding')
  if (isHttp10) throw malformed('a transfer coding in HTTP/1.0')
  if (coding !== 'chunked') throw malformed('a transfer coding other than chunked')
  return 'chunked'
}

function isPersistent (connection: string, isHttp10: boolean): boolean {
  const options = connection.split(',').map((option) => option.trim())
  return isHttp10 ? options.includes('keep-alive') : !options.includes('close')
}

function parseKeepAlive (value: string): number | undefined {
  const seconds = /(?:^|[,\s])timeout=(\d{1,6})(?:[,\s]|$)/i.exec(value)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
