import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { room } from './raw-upstream.ts'

/** rawc: a client on a plain socket that sends exactly the bytes it is told and keeps what comes back, with times. */
export type RawClient = {
  socket: Socket
  /** Latin-1; `slice` bytes at a time, each a packet of its own. */
  send (bytes: string | Buffer, slice?: number): Promise<void>
  end (): void
  reset (): void
  /** All bytes so far. */
  readonly bytes: Buffer
  readonly text: string
  /** When how many bytes were there, on the clock of `performance.now()`. */
  readonly arrivals: { at: number, length: number }[]
  /** Resolves once the text so far satisfies `test`; rejects when the connection closes before. */
  until (test: (text: string) => boolean): Promise<string>
  /** Reads one answer and takes it out of `bytes`. */
  answer (method?: string): Promise<Answer>
  /** Resolves when the connection is closed, saying how. */
  closed (): Promise<'end' | 'reset'>
}

export type Answer = {
  status: number
  reason: string
  headers: [name: string, value: string][]
  body: string
  trailers: string
  /** Whether the framing says that this is all. */
  isComplete: boolean
  header (name: string): string | undefined
  all (name: string): string[]
  json (): { code: string, status: number, detail: string, [member: string]: unknown }
}

export async function connect (t: Test, port: number): Promise<RawClient> {
  const socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  t.after(() => { socket.destroy() })
  let isReset = false
  let hasEnded = false
  const chunks: Buffer[] = []
  const arrivals: { at: number, length: number }[] = []
  let length = 0
  let wake: (() => void) | undefined
  socket.on('data', (bytes) => {
    chunks.push(bytes)
    length += bytes.length
    arrivals.push({ at: performance.now(), length })
    wake?.()
  })
  socket.on('error', () => { isReset = true })
  socket.on('end', () => { hasEnded = true; wake?.() })
  socket.on('close', () => { hasEnded = true; wake?.() })
  await once(socket, 'connect')

  async function next (): Promise<boolean> {
    if (hasEnded) return false
    await new Promise<void>((resolve) => { wake = resolve })
    return true
  }

  const client: RawClient = {
    socket,
    send,
    end: () => { socket.end() },
    reset: () => { socket.resetAndDestroy() },
    get bytes () { return Buffer.concat(chunks) },
    get text () { return client.bytes.toString('latin1') },
    arrivals,
    until,
    answer,
    closed
  }
  return client

  async function send (bytes: string | Buffer, slice?: number) {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    const size = slice ?? Math.max(1, buffer.length)
    for (let offset = 0; offset < buffer.length; offset += size) {
      if (socket.destroyed) return
      if (!socket.write(buffer.subarray(offset, offset + size))) await room(socket)
      if (slice !== undefined) await new Promise((resolve) => { setImmediate(resolve) })
    }
  }

  async function until (test: (text: string) => boolean): Promise<string> {
    for (;;) {
      const { text } = client
      if (test(text)) return text
      if (!await next() && !test(client.text)) throw new Error(`The connection closed after: ${client.text.slice(0, 500)}`)
    }
  }

  async function answer (method = 'GET'): Promise<Answer> {
    for (;;) {
      const parsed = parseAnswer(client.bytes, method, hasEnded)
      if (parsed !== undefined) {
        const rest = client.bytes.subarray(parsed.end)
        chunks.splice(0, chunks.length, rest)
        return parsed.answer
      }
      if (!await next() && parseAnswer(client.bytes, method, true) === undefined) throw new Error(`The connection closed without an answer: ${client.text.slice(0, 500)}`)
    }
  }

  async function closed (): Promise<'end' | 'reset'> {
    while (await next());
    return isReset ? 'reset' : 'end'
  }
}

/** Sends one request on a connection of its own and reads the answer. */
export async function exchange (t: Test, port: number, bytes: string | Buffer): Promise<Answer> {
  const client = await connect(t, port)
  await client.send(bytes)
  const answer = await client.answer(bytes.toString('latin1', 0, 5).startsWith('HEAD') ? 'HEAD' : 'GET')
  client.socket.destroy()
  return answer
}

function parseAnswer (bytes: Buffer, method: string, isOver: boolean): { answer: Answer, end: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [line, ...fields] = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const [, status, reason = ''] = /^HTTP\/1\.[01] (\d+) ?(.*)$/.exec(line!) ?? []
  const headers = fields.map((field) => [field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1).trim()] as [string, string])
  const all = (name: string) => headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  const header = (name: string) => all(name)[0]
  const start = headEnd + 4
  const body = readBody(bytes, start)
  if (body === undefined || (!body.isComplete && !isOver)) return undefined
  const answer: Answer = {
    status: Number(status),
    reason,
    headers,
    body: body.content,
    trailers: body.trailers,
    isComplete: body.isComplete,
    header,
    all,
    json: () => JSON.parse(Buffer.from(body.content, 'latin1').toString()) as ReturnType<Answer['json']>
  }
  return { answer, end: body.end }

  function readBody (data: Buffer, offset: number): { content: string, trailers: string, isComplete: boolean, end: number } | undefined {
    const code = Number(status)
    if (method === 'HEAD' || code < 200 || code === 204 || code === 304) return { content: '', trailers: '', isComplete: true, end: offset }
    const length = header('content-length')
    if (header('transfer-encoding') !== undefined) return readChunks(data, offset)
    if (length === undefined) return { content: data.toString('latin1', offset), trailers: '', isComplete: isOver, end: data.length }
    const end = offset + Number(length)
    return { content: data.toString('latin1', offset, end), trailers: '', isComplete: data.length >= end, end: Math.min(end, data.length) }
  }
}

function readChunks (data: Buffer, start: number): { content: string, trailers: string, isComplete: boolean, end: number } {
  const pieces: string[] = []
  let offset = start
  for (;;) {
    const lineEnd = data.indexOf('\r\n', offset)
    const size = lineEnd === -1 ? Number.NaN : Number.parseInt(data.toString('latin1', offset, lineEnd), 16)
    if (Number.isNaN(size)) return { content: pieces.join(''), trailers: '', isComplete: false, end: data.length }
    offset = lineEnd + 2
    if (size === 0) {
      if (data.toString('latin1', offset, offset + 2) === '\r\n') return { content: pieces.join(''), trailers: '', isComplete: true, end: offset + 2 }
      const end = data.indexOf('\r\n\r\n', offset)
      return { content: pieces.join(''), trailers: end === -1 ? '' : data.toString('latin1', offset, end), isComplete: end !== -1, end: end === -1 ? data.length : end + 4 }
    }
    pieces.push(data.toString('latin1', offset, offset + size))
    offset += size + 2
  }
}
