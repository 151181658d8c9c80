import { createHash } from 'node:crypto'
import { createServer as createControl } from 'node:http'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * rawd: an upstream that says exactly the bytes it is told, right or wrong, and keeps every byte it was sent. In a test it runs in
 * the process; `node raw-upstream.ts PORT CONTROL_PORT` runs it inside a container, told what to do over the control port:
 * PUT /answer (a JSON list of steps), GET /log, DELETE /log.
 */
export type Step =
  | { wait: 'body' }
  /** Latin-1 text, as it goes on the wire; `slice` bytes at a time, `repeat` times. */
  | { send: string | Buffer, slice?: number, repeat?: number }
  | { sleepMs: number }
  /** Waits until the test says so, or the peer is gone. */
  | { until: Promise<unknown> }
  | { end: true }
  | { reset: true }
  /** Gives the socket away, as after a 101. */
  | { take: (socket: Socket, rest: Buffer) => void }

export type RawRequest = {
  /** Which connection, counted from 0, and the connection itself. */
  connection: number
  peer: RawConnection
  line: string
  method: string
  path: string
  /** In order, as received. */
  headers: [name: string, value: string][]
  /** The head as received. */
  head: string
  /** Body bytes as on the wire, chunk framing included. */
  body: Buffer
  bodyHash: string
  bodyLength: number
  isComplete: boolean
  header (name: string): string | undefined
  all (name: string): string[]
}

export type RawConnection = { bytes: number, ended: 'open' | 'end' | 'reset', closed: Promise<unknown>, socket: Socket }
export type Plan = (request: RawRequest, index: number) => Step[]

export type RawUpstream = {
  port: number
  requests: RawRequest[]
  connections: RawConnection[]
  plan: Plan
  /** Resolves with the request of this index once its head is there. */
  request (index?: number): Promise<RawRequest>
  /** Forgets the requests so far; connections stay. */
  clear (): void
  /** Takes no new connections; those that are open stay. Resolves when they are closed. */
  stopListening (): Promise<void>
  close (): Promise<void>
}

export const OK: Step[] = [{ wait: 'body' }, { send: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' }]
const KEPT_BODY = 1024 ** 2

export async function createRawUpstream (plan: Plan = () => OK, options: { host?: string, port?: number } = {}): Promise<RawUpstream> {
  const waiters = new Set<() => void>()
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => { serve(socket).catch(() => {}) })
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  await once(server, 'listening')
  const upstream: RawUpstream = {
    port: (server.address() as AddressInfo).port,
    requests: [],
    connections: [],
    plan,
    request: (index = 0) => waitFor(() => upstream.requests[index]),
    clear: () => { upstream.requests.length = 0 },
    stopListening: () => new Promise((resolve) => { server.close(() => { resolve() }) }),
    close
  }
  return upstream

  async function serve (socket: Socket) {
    const connection: RawConnection = { bytes: 0, ended: 'open', closed: once(socket, 'close').catch(() => {}), socket }
    const index = upstream.connections.push(connection) - 1
    sockets.add(socket)
    socket.on('error', () => { connection.ended = 'reset' })
    socket.on('close', () => { sockets.delete(socket) })
    const reader = createReader(socket, connection)
    for (;;) {
      const head = await reader.head()
      if (head === undefined) break
      const request = parseRequest(head, index, connection)
      const number = upstream.requests.push(request) - 1
      wake()
      const body = readBody(reader, request)
      for (const step of upstream.plan(request, number)) {
        if ('take' in step) {
          await body
          step.take(socket, reader.release())
          return
        }
        await run(step, socket, body)
      }
      await body
      if (!request.isComplete) break
    }
    if (connection.ended === 'end' && !socket.destroyed) socket.end()
  }

  async function waitFor<T> (get: () => T | undefined): Promise<T> {
    for (;;) {
      const value = get()
      if (value !== undefined) return value
      await new Promise<void>((resolve) => { waiters.add(resolve) })
    }
  }

  function wake () {
    for (const resolve of waiters) resolve()
    waiters.clear()
  }

  async function close () {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close').catch(() => {})
  }
}

async function run (step: Exclude<Step, { take: unknown }>, socket: Socket, body: Promise<void>) {
  if (socket.destroyed) return
  if ('wait' in step) await body
  else if ('sleepMs' in step) await sleep(step.sleepMs)
  else if ('until' in step) await Promise.race([step.until, once(socket, 'close')]).catch(() => {})
  else if ('end' in step) socket.end()
  else if ('reset' in step) socket.resetAndDestroy()
  else await send(step, socket)
}

async function send ({ send, slice, repeat = 1 }: Extract<Step, { send: unknown }>, socket: Socket) {
  const bytes = typeof send === 'string' ? Buffer.from(send, 'latin1') : send
  const size = slice ?? bytes.length
  for (let round = 0; round < repeat; round++) {
    for (let offset = 0; offset < bytes.length; offset += size) {
      if (socket.destroyed) return
      const hasRoom = socket.write(bytes.subarray(offset, offset + size))
      if (!hasRoom) await room(socket)
      // A new turn, so that each slice is a packet of its own.
      else if (slice !== undefined) await new Promise((resolve) => { setImmediate(resolve) })
    }
  }
}

type Reader = {
  head (): Promise<string | undefined>
  /** Up to `max` bytes, at least one; `undefined` when there are no more. */
  some (max: number): Promise<Buffer | undefined>
  line (): Promise<Buffer | undefined>
  release (): Buffer
}

function createReader (socket: Socket, connection: RawConnection): Reader {
  let data: Buffer = Buffer.alloc(0)
  let isOver = false
  let wake: (() => void) | undefined
  socket.on('data', onData)
  socket.on('end', onEnd)
  socket.on('close', onOver)

  function onData (bytes: Buffer) {
    connection.bytes += bytes.length
    data = data.length === 0 ? bytes : Buffer.concat([data, bytes])
    if (data.length > KEPT_BODY) socket.pause()
    wake?.()
  }
  function onEnd () {
    connection.ended = 'end'
    onOver()
  }
  function onOver () {
    isOver = true
    wake?.()
  }
  async function more (): Promise<boolean> {
    if (isOver) return false
    socket.resume()
    await new Promise<void>((resolve) => { wake = resolve })
    return true
  }
  function take (count: number): Buffer {
    const taken = data.subarray(0, count)
    data = data.subarray(count)
    return taken
  }
  async function until (mark: string): Promise<Buffer | undefined> {
    for (;;) {
      const end = data.indexOf(mark)
      if (end !== -1) return take(end + mark.length)
      if (!await more() && data.indexOf(mark) === -1) return undefined
    }
  }
  return {
    head: async () => (await until('\r\n\r\n'))?.toString('latin1'),
    line: () => until('\r\n'),
    some: async (max) => {
      while (data.length === 0) if (!await more() && data.length === 0) return undefined
      return take(Math.min(max, data.length))
    },
    release: () => {
      socket.off('data', onData).off('end', onEnd).off('close', onOver)
      return take(data.length)
    }
  }
}

function parseRequest (head: string, connection: number, peer: RawConnection): RawRequest {
  const [line, ...fields] = head.slice(0, -4).split('\r\n')
  const headers = fields.map((field) => {
    const colon = field.indexOf(':')
    return [field.slice(0, colon), field.slice(colon + 1).trim()] as [string, string]
  })
  const all = (name: string) => headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  const [method = '', path = ''] = line!.split(' ')
  return { connection, peer, line: line!, method, path, headers, head, body: Buffer.alloc(0), bodyHash: '', bodyLength: 0, isComplete: false, all, header: (name) => all(name)[0] }
}

async function readBody (reader: Reader, request: RawRequest) {
  const hash = createHash('sha256')
  const wire: Buffer[] = []
  let wireLength = 0
  function keep (bytes: Buffer, isContent: boolean) {
    if (wireLength < KEPT_BODY) wire.push(bytes)
    wireLength += bytes.length
    if (!isContent) return
    hash.update(bytes)
    request.bodyLength += bytes.length
  }
  async function content (length: number): Promise<boolean> {
    for (let left = length; left > 0;) {
      const bytes = await reader.some(left)
      if (bytes === undefined) return false
      left -= bytes.length
      keep(bytes, true)
    }
    return true
  }
  async function chunks (): Promise<boolean> {
    for (;;) {
      const size = await reader.line()
      if (size === undefined) return false
      keep(size, false)
      const length = Number.parseInt(size.toString('latin1'), 16)
      if (!await content(length)) return false
      if (!await lineEnd(length === 0)) return false
      if (length === 0) return true
    }
  }
  /** The line end after a chunk, or all lines up to the empty one after the last. */
  async function lineEnd (isLast: boolean): Promise<boolean> {
    const line = await reader.line()
    if (line === undefined) return false
    keep(line, false)
    return !isLast || line.length === 2 || await lineEnd(true)
  }
  const isChunked = request.header('transfer-encoding') !== undefined
  request.isComplete = isChunked ? await chunks() : await content(Number(request.header('content-length') ?? 0))
  request.body = Buffer.concat(wire)
  request.bodyHash = hash.digest('hex')
}

/** Waits until a socket takes more bytes, or is closed. */
export async function room (socket: Socket): Promise<void> {
  const over = new AbortController()
  await Promise.race(['drain', 'close'].map((event) => once(socket, event, { signal: over.signal }))).catch(() => {})
  over.abort()
}

if (import.meta.main) {
  const [port = '80', controlPort = '8081'] = process.argv.slice(2)
  const upstream = await createRawUpstream(undefined, { host: '0.0.0.0', port: Number(port) })
  createControl(async (request, response) => {
    const chunks = await request.toArray() as Buffer[]
    if (request.url === '/answer') {
      const steps = JSON.parse(Buffer.concat(chunks).toString()) as Step[]
      upstream.plan = () => steps
    } else if (request.method === 'DELETE') upstream.clear()
    const connections = upstream.connections.map(({ bytes, ended }) => ({ bytes, ended }))
    const requests = upstream.requests.map(({ peer, ...seen }) => ({ ...seen, ended: peer.ended, body: seen.body.toString('latin1') }))
    response.end(JSON.stringify({ requests, connections }))
  }).listen(Number(controlPort), '0.0.0.0')
}
