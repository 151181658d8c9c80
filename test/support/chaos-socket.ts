import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { createServer, request as sendRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, pipeline, Transform } from 'node:stream'
import type { Duplex } from 'node:stream'
import type { Test } from 'tap'
import type { EngineEnvironment } from '../../src/config/schema.ts'
import { loadConfig } from '../../src/config/load.ts'
import { resolveEndpoint } from '../../src/engine/endpoint.ts'
import { createEngine } from '../../src/engine/engine.ts'
import type { Engine } from '../../src/engine/engine.ts'

/** What happens to a request. */
export type Fault =
  | { kind: 'pass' }
  /** No answer, ever. */
  | { kind: 'hang' }
  /** The connection is reset before any answer. */
  | { kind: 'drop' }
  /** The real answer, until this many bytes of its body; then the connection ends, or nothing more comes. */
  | { kind: 'cut', afterBytes: number, isHung?: boolean }
  /** The real answer, its body a byte at a time. */
  | { kind: 'slice' }
  /** This answer in place of the engine's. */
  | { kind: 'answer', status: number, body: string, type?: string, headers?: Record<string, string> }

/** A socket before an engine that can be made to fail. Without an engine it answers 404 where no rule says otherwise. */
export type ChaosSocket = {
  /** For `DOCKER_HOST`. */
  host: string
  path: string
  /**
   * What happens from now on to requests of this kind; the latest rule that matches wins.
   * @param match `GET /containers/json` or only the path, without version and query; or a pattern for `METHOD /path`.
   */
  rule (match: string | RegExp, fault: Fault): void
  /** All requests pass again. */
  clear (): void
  /** How many requests came that match. */
  count (match: string | RegExp): number
  /** How many requests that match have no whole answer yet, and whose client has not left. */
  underWay (match: string | RegExp): number
  /** Every request that came: `GET /v1.41/containers/json?all=true`. */
  readonly requests: string[]
  /** The JSON bodies of the requests that match. */
  bodies (match: string | RegExp): unknown[]
  /** Connections that are open now, and the most there were at once. */
  readonly connections: { open: number, most: number }
  /** The engine goes away: nothing listens, every connection is cut, the file is gone. */
  stop (): Promise<void>
  /** It is back, at the same path. */
  start (): Promise<void>
}

export type ChaosOptions = {
  /** The socket of the real engine; `null` for none. The one that the product would find when left out. */
  engine?: string | null
  /** False: it is away at first. */
  isStarted?: boolean
}

/** Closed when the test ends. */
export async function createChaosSocket (t: Test, { engine = engineSocket(), isStarted = true }: ChaosOptions = {}): Promise<ChaosSocket> {
  const path = join(tmpdir(), `chaos-${randomUUID().slice(0, 8)}.sock`)
  const rules: Array<{ match: string | RegExp, fault: Fault }> = []
  const requests: string[] = []
  const bodies: Array<{ line: string, chunks: Buffer[] }> = []
  const unanswered = new Set<{ line: string }>()
  const sockets = new Set<Duplex>()
  const connections = { open: 0, most: 0 }
  const server = createServer({ requestTimeout: 0 }, handle)

  server.on('connection', (socket) => {
    sockets.add(socket)
    connections.open = sockets.size
    connections.most = Math.max(connections.most, sockets.size)
    socket.once('close', () => {
      sockets.delete(socket)
      connections.open = sockets.size
    })
  })
  server.on('upgrade', (request, socket, head) => {
    if (faultOf(request).kind !== 'pass' || engine === null) socket.destroy()
    else tunnel(engine, request, socket, head)
  })

  function faultOf (request: IncomingMessage): Fault {
    const line = `${request.method} ${request.url}`
    requests.push(line)
    return rules.findLast(({ match }) => isMatch(match, line))?.fault ?? { kind: 'pass' }
  }

  function handle (request: IncomingMessage, response: ServerResponse) {
    const fault = faultOf(request)
    const asked = { line: `${request.method} ${request.url}` }
    unanswered.add(asked)
    response.once('close', () => unanswered.delete(asked))
    if (fault.kind === 'hang') return
    if (fault.kind === 'drop') request.socket.destroy()
    else if (fault.kind === 'answer') answer(response, fault)
    else if (engine === null) answer(response, { status: 404, body: '{"message":"page not found"}' })
    else {
      if (request.headers['content-type']?.startsWith('application/json') === true) note(request)
      forward(engine, request, response, fault)
    }
  }

  function note (request: IncomingMessage) {
    const chunks: Buffer[] = []
    bodies.push({ line: `${request.method} ${request.url}`, chunks })
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
  }

  async function stop () {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
    await rm(path, { force: true })
  }

  async function start () {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  }

  if (isStarted) await start()
  t.after(stop)
  return {
    host: `unix://${path}`,
    path,
    requests,
    connections,
    rule: (match, fault) => { rules.push({ match, fault }) },
    clear: () => { rules.length = 0 },
    count: (match) => requests.filter((line) => isMatch(match, line)).length,
    underWay: (match) => [...unanswered].filter(({ line }) => isMatch(match, line)).length,
    bodies: (match) => bodies.filter(({ line }) => isMatch(match, line)).map(({ chunks }) => JSON.parse(Buffer.concat(chunks).toString()) as unknown),
    stop,
    start
  }
}

/** The product's engine with these settings, closed when the test ends. */
export function engineAt (t: Test, environment: EngineEnvironment): Engine {
  const engine = createEngine(environment)
  t.after(() => engine.close())
  return engine
}

function engineSocket (): string {
  const endpoint = resolveEndpoint(loadConfig({ env: process.env }).engine)
  if (endpoint.kind !== 'unix') throw new Error(`Tests of a failing engine need one on a unix socket, not ${endpoint.description}.`)
  return endpoint.address
}

function isMatch (match: string | RegExp, line: string): boolean {
  const plain = line.replace(/ \/v\d+\.\d+\//, ' /').split('?', 1)[0]!
  return typeof match === 'string' ? plain === match || plain.endsWith(` ${match}`) : match.test(plain)
}

function answer (response: ServerResponse, { status, body, type = 'application/json', headers }: Omit<Extract<Fault, { kind: 'answer' }>, 'kind'>) {
  response.writeHead(status, { 'content-type': type, ...headers }).end(body)
}

function forward (engine: string, request: IncomingMessage, response: ServerResponse, fault: Fault) {
  const onward = sendRequest({ socketPath: engine, method: request.method, path: request.url, headers: request.headers }, (answer) => {
    response.writeHead(answer.statusCode!, answer.rawHeaders)
    response.flushHeaders()
    pipeline(answer, distort(fault, response), response, () => {})
  })
  onward.on('error', () => response.destroy())
  response.on('close', () => onward.destroy())
  pipeline(request, onward, () => {})
}

function distort (fault: Fault, response: ServerResponse): Transform {
  if (fault.kind === 'cut') {
    let left = fault.afterBytes
    return new Transform({
      transform (chunk: Buffer, _encoding, done) {
        const part = chunk.subarray(0, left)
        left -= part.length
        if (left > 0) return done(null, part)
        response.write(part, () => { if (fault.isHung !== true) response.socket?.destroy() })
      }
    })
  }
  if (fault.kind === 'slice') {
    return new Transform({
      async transform (chunk: Buffer, _encoding, done) {
        for (const byte of chunk) {
          await new Promise((resolve) => response.write(Buffer.of(byte), resolve))
        }
        done()
      }
    })
  }
  return new PassThrough()
}

/** Passes an upgraded connection on, bytes untouched. */
function tunnel (engine: string, request: IncomingMessage, socket: Duplex, head: Buffer) {
  // The body of an upgrade request is not parsed: it stands at the head of the bytes that follow.
  const length = Number(request.headers['content-length'] ?? 0)
  const onward = sendRequest({ socketPath: engine, method: request.method, path: request.url, headers: request.headers })
  onward.once('upgrade', (answer, upstream, first) => {
    const headers = answer.rawHeaders.map((text, index) => index % 2 === 0 ? `${text}: ` : `${text}\r\n`).join('')
    socket.write(`HTTP/1.1 101 ${answer.statusMessage}\r\n${headers}\r\n`)
    socket.write(first)
    upstream.write(head.subarray(length))
    pipeline(socket, upstream, socket, () => {})
  })
  onward.once('response', (answer) => {
    answer.resume()
    socket.end(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  })
  onward.once('error', () => socket.destroy())
  readExactly(socket, head, length).then((body) => onward.end(body), () => socket.destroy())
}

async function readExactly (socket: Duplex, head: Buffer, length: number): Promise<Buffer> {
  let body = head.subarray(0, length)
  while (body.length < length) {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) await new Promise((resolve) => socket.once('readable', resolve))
    else body = Buffer.concat([body, chunk])
  }
  return body
}
