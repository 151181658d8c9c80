import { request as sendRequest } from 'node:http'
import type { Agent, ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { stringify } from 'node:querystring'
import { addAbortSignal, pipeline } from 'node:stream'
import type { Duplex, Readable } from 'node:stream'
import type { Sections } from './sections.ts'

/** The body of a failure; dockAPI's own filter adds which switches would open what it refused (`src/filter`). */
type EngineSentence = { message?: string, switches?: unknown }

/** An answer of the engine, or of a proxy before it, that is no success. `json` is undefined when the body is none of the engine's. */
export class EngineResponseError extends Error {
  readonly statusCode: number
  readonly json: EngineSentence | undefined
  readonly request: { method: string, path: string }
  /** When a socket proxy refused: the switches that may be off. */
  readonly switches: string[]

  constructor (statusCode: number, text: string, json: EngineSentence | undefined, request: { method: string, path: string }, switches: string[]) {
    super(json?.message ?? text)
    this.statusCode = statusCode
    this.json = json
    this.request = request
    this.switches = switches
  }
}

/** What dockerode hands to its modem for one operation (dockerode 5, `lib/*.js`). */
export type DialOptions = {
  /** Ends with `?` where `options` belong into the query. */
  path: string
  method: string
  options?: Record<string, unknown> & { _query?: Record<string, unknown>, _body?: unknown }
  statusCodes: Record<string, unknown>
  headers?: OutgoingHttpHeaders
  authconfig?: { key?: string, base64?: string } & Record<string, unknown>
  registryconfig?: { base64?: string } & Record<string, unknown>
  file?: Buffer | Readable
  isStream?: boolean
  hijack?: boolean
  openStdin?: boolean
  allowEmpty?: boolean
  abortSignal?: AbortSignal
}

type Callback = (error: Error | null, result?: unknown) => void

/** How dockerode sends a request. */
export type Modem = {
  dial (options: DialOptions, callback: Callback): void
  /** The newest API version that the engine tells in the headers of a ping; undefined when it tells none. */
  ping (signal: AbortSignal): Promise<string | undefined>
  /**
   * Sends a request without a body as it stands, the version included, and resolves with the head of the answer, whatever its status.
   * @throws EngineResponseError when a failure is none in the engine's own form: then it is a proxy's before it.
   */
  relay (request: { method: string, path: string }, signal: AbortSignal): Promise<IncomingMessage>
}

export type ModemOptions = {
  agent: Agent
  /** For the Host header. */
  host: string
  /** Negotiated, `1.41`; undefined only while negotiating. */
  version?: string
  sections: Sections
}

/** The longest error body that is read, in bytes. */
const MAX_ERROR_BYTES = 64 * 1024

/**
 * dockerode's transport. It stands in for docker-modem, which reads `DOCKER_HOST` and the certificates by itself, and never settles
 * when the engine goes away in the middle of a body.
 */
export function createModem ({ agent, host, version, sections }: ModemOptions): Modem {
  const prefix = version === undefined ? '' : `/v${version}`

  function dial (options: DialOptions, callback: Callback) {
    exchange(options).then((result) => callback(null, result), (error: Error) => callback(error))
  }

  async function exchange (options: DialOptions): Promise<unknown> {
    const path = prefix + pathOf(options)
    const message = { method: options.method, path, ...bodyOf(options) }
    const { response, upgraded } = await send(message, options)
    if (upgraded !== undefined) return upgraded

    const status = response.statusCode!
    if (options.statusCodes[status] !== true) throw await readError(response, message, sections)
    if (options.openStdin === true) throw new Error('the engine, or a proxy before it, did not open the connection both ways')
    sections.allowed(message)
    if (options.isStream === true) return response
    const body = await readAll(response)
    return parseJson(body.toString()) ?? body
  }

  async function send (message: Message, options: DialOptions): Promise<Answer> {
    const signal = options.abortSignal
    const request = sendRequest({
      agent, method: message.method, path: message.path, headers: { host, ...headersOf(options, message) }, ...(signal && { signal })
    })
    try {
      return await answerOf(request, message.body, signal)
    } catch (error) {
      // The engine closed an idle connection at the very moment when it was taken up again: it saw nothing of the request.
      const isStale = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
      if (isStale && message.method === 'GET') return send(message, options)
      throw error
    }
  }

  async function ping (signal: AbortSignal) {
    const message = { method: 'GET', path: '/_ping' }
    const { response } = await send(message, { ...message, statusCodes: {}, abortSignal: signal })
    if (response.statusCode !== 200) throw await readError(response, message, sections)
    sections.allowed(message)
    await readAll(response, MAX_ERROR_BYTES)
    return response.headers['api-version'] as string | undefined
  }

  async function relay (message: { method: string, path: string }, signal: AbortSignal) {
    const { response } = await send(message, { ...message, statusCodes: {}, abortSignal: signal })
    if (response.statusCode! >= 400 && !isJson(response) && message.method !== 'HEAD') throw await readError(response, message, sections)
    return response
  }

  return { dial, ping, relay }
}

type Message = { method: string, path: string, body?: string | Buffer | Readable, type?: string }
type Answer = { response: IncomingMessage, upgraded?: Duplex }

function answerOf (request: ClientRequest, body: Message['body'], signal: AbortSignal | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.once('error', reject)
    request.once('response', (response) => resolve({ response }))
    request.once('upgrade', (response, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      // The request is over for node, and its signal with it; the connection is not.
      if (signal !== undefined) addAbortSignal(signal, socket)
      resolve({ response, upgraded: socket })
    })
    // A failure of the source destroys the request, which then rejects.
    if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) pipeline(body, request, () => {})
    else request.end(body)
  })
}

function pathOf ({ path, options = {} }: DialOptions): string {
  if (!path.includes('?')) return path
  const query = stringify(Object.fromEntries(Object.entries(options._query ?? parametersOf(options))
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, typeof value === 'object' && value !== null && !Array.isArray(value) ? JSON.stringify(value) : value as string])))
  return query === '' ? path.slice(0, path.indexOf('?')) : path + query
}

function bodyOf ({ method, options, file, allowEmpty, headers }: DialOptions): { body?: string | Buffer | Readable, type?: string } {
  const type = headers?.['Content-Type'] as string | undefined
  if (file !== undefined) return { body: file, type: type ?? 'application/x-tar' }
  if (method !== 'POST' || options === undefined) return {}
  const body = JSON.stringify(options._body ?? (options._query === undefined ? parametersOf(options) : {}))
  return body === '{}' && allowEmpty !== true ? {} : { body, type: type ?? 'application/json' }
}

/** dockerode leaves what is meant for its modem among the parameters. */
function parametersOf (options: Record<string, unknown>): Record<string, unknown> {
  const { abortSignal: _signal, authconfig: _auth, ...parameters } = options
  return parameters
}

function headersOf ({ headers, authconfig, registryconfig, hijack }: DialOptions, { body, type }: Message): OutgoingHttpHeaders {
  return {
    'user-agent': 'dockapi',
    ...headers,
    ...(type === undefined ? {} : { 'content-type': type }),
    ...(typeof body === 'string' || Buffer.isBuffer(body) ? { 'content-length': Buffer.byteLength(body) } : {}),
    ...(authconfig === undefined ? {} : { 'x-registry-auth': authconfig.key ?? authconfig.base64 ?? encode(authconfig) }),
    ...(registryconfig === undefined ? {} : { 'x-registry-config': registryconfig.base64 ?? encode(registryconfig) }),
    ...(hijack === true ? { connection: 'Upgrade', upgrade: 'tcp' } : {})
  }
}

/** Base64 for URLs with its padding (RFC 4648 section 5): without it the engine takes the credentials for none, in silence. */
function encode (credentials: object): string {
  return Buffer.from(JSON.stringify(credentials)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

function isJson ({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.startsWith('application/json') ?? false
}

async function readError (response: IncomingMessage, { method, path }: Message, sections: Sections): Promise<EngineResponseError> {
  const status = response.statusCode!
  const text = (await readAll(response, MAX_ERROR_BYTES)).toString()
  const parsed = parseJson(text)
  const json = typeof parsed === 'object' && parsed !== null ? parsed as EngineSentence : undefined
  const isRefusal = status === 403 || status === 405
  const named = isRefusal ? namedSwitches(json) : undefined
  const switches = isRefusal && (json === undefined || named !== undefined) ? sections.refused({ method, path }, named) : []
  return new EngineResponseError(status, text, json, { method, path: path.split('?', 1)[0]! }, switches)
}

/** Other proxies than dockAPI's own leave it to guess. */
function namedSwitches (json: EngineSentence | undefined): string[] | undefined {
  return Array.isArray(json?.switches) ? json.switches.filter((name) => typeof name === 'string') : undefined
}

/** @throws when the connection ends before the body does. */
async function readAll (response: IncomingMessage, maxBytes = Infinity): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) break
  }
  return Buffer.concat(chunks)
}

function parseJson (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
