import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { isLoopback } from '../config/loopback.ts'
import type { Config } from '../config/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { relayStream, relayWhole } from '../engine/relay.ts'
import type { Question } from '../engine/relay.ts'
import { DockApiError } from '../errors.ts'
import { headersOf, sendMessage } from './answer.ts'
import { parseListenAddress } from './address.ts'
import { refuseCaller } from './caller.ts'
import { passEvents } from './events.ts'
import { redactJson } from './redact.ts'
import type { Rule } from './rules.ts'
import { createSlots } from './slots.ts'
import { readSwitches } from './switches.ts'
import { judge } from './verdict.ts'

/** A view of the engine for other programs: what the switches open, read-only but for few verbs, and nothing else. */
export type Filter = {
  /** `http://127.0.0.1:2375`; undefined while it does not listen. */
  readonly origin: string | undefined
  /** What whoever starts it should know; undefined when only this machine can reach it. */
  readonly warning: string | undefined
  /** @throws Node's own error when the address cannot be had. */
  listen (): Promise<void>
  /** Takes no new connection, ends the streams, and resolves when what runs is answered. Idempotent. */
  close (): Promise<void>
  /** Cuts every connection. */
  destroy (): void
}

export type FilterParts = {
  config: Pick<Config, 'filter' | 'filterSections' | 'filterEnv' | 'allowedHosts' | 'maxStreams'>
  engine: Engine
  statusOf (error: DockApiError): number
  /** Told of every request that did not pass, and of what failed. */
  onRefusal (refusal: { method: string, path: string, status: number, message: string, cause?: unknown }): void
}

/** Questions that the engine is asked at once; of its 64 sockets the rest stays for the API. */
const MAX_QUESTIONS = 16
/** How long the head of a request may take, in milliseconds. */
const HEADERS_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 1024

/** @throws ConfigError when a switch is unknown, or is one that is never opened. */
export function createFilter ({ config, engine, statusOf, onRefusal }: FilterParts): Filter {
  const address = parseListenAddress(config.filter)
  const on = readSwitches(config.filterSections)
  const isRedacted = config.filterEnv === 'redacted'
  const slots = createSlots(MAX_QUESTIONS)
  const closing = new AbortController()
  let streams = 0

  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: HEADERS_TIMEOUT_MS }, handle)
  server.maxConnections = MAX_CONNECTIONS
  // What expects 100 has a body; it is refused without asking for it.
  server.on('checkContinue', handle)

  function handle (request: IncomingMessage, response: ServerResponse) {
    const { method = '', url = '' } = request
    const refusal = refuseCaller(request, config.allowedHosts)
    if (refusal !== undefined) return refuse(request, response, { switches: [], ...refusal, isLast: true })
    const verdict = judge({ method, url }, on)
    if (!verdict.isPassed) return refuse(request, response, verdict)
    pass(verdict.rule, { method, path: verdict.path }, response).catch((error: unknown) => { fail(request, response, error) })
  }

  async function pass (rule: Rule, question: Question, response: ServerResponse) {
    const left = new AbortController()
    response.once('close', () => { left.abort() })
    if (rule.answer === 'whole') await passWhole(rule, question, response, left.signal)
    else await passStream(rule, question, response, left.signal)
  }

  async function passWhole (rule: Rule, question: Question, response: ServerResponse, signal: AbortSignal) {
    const giveBack = await slots.take(signal)
    try {
      const { status, headers, body } = await relayWhole(engine, question, { timeoutMs: rule.timeoutMs, signal })
      const isDocument = isRedacted && status === 200 && headers['content-type']?.startsWith('application/json') === true
      const shown = isDocument ? Buffer.from(redactJson(body.toString())) : body
      if (!server.listening) response.shouldKeepAlive = false
      response.writeHead(status, { ...headersOf(headers), ...(hasBody(status) ? { 'content-length': shown.length } : {}) })
      response.end(shown)
    } finally {
      giveBack()
    }
  }

  async function passStream (rule: Rule, question: Question, response: ServerResponse, signal: AbortSignal) {
    if (streams >= config.maxStreams) throw new DockApiError('too_many_streams', `There are ${streams} open streams already.`)
    streams++
    try {
      const ended = AbortSignal.any([signal, closing.signal])
      const upstream = await relayStream(engine, question, { timeoutMs: rule.timeoutMs, signal: ended })
      response.writeHead(upstream.statusCode!, headersOf(upstream.headers))
      response.flushHeaders()
      const chunks = untilClosing(upstream, closing.signal)
      await pipeline(rule.answer === 'events' && upstream.statusCode === 200 ? passEvents(chunks, { on, isRedacted }) : chunks, response)
    } finally {
      streams--
    }
  }

  function refuse (request: IncomingMessage, response: ServerResponse, { status, message, switches, isLast = false }: { status: number, message: string, switches: readonly string[], isLast?: boolean }) {
    onRefusal({ method: request.method!, path: pathOf(request), status, message })
    // What follows a body, or an upgrade, may be read as another request.
    sendMessage(response, status, { message, switches }, isLast ? { connection: 'close' } : {})
  }

  function fail (request: IncomingMessage, response: ServerResponse, raw: unknown) {
    if (response.destroyed) return
    const error = raw instanceof DockApiError ? raw : new DockApiError('internal_error', 'Something went wrong in dockAPI itself.', { cause: raw })
    const status = statusOf(error)
    const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`
    onRefusal({ method: request.method!, path: pathOf(request), status, message, cause: error.cause })
    sendMessage(response, status, { message }, error.isRetryable ? { 'retry-after': String(error.retryAfterSeconds ?? 1) } : {})
  }

  async function listen () {
    if (address === undefined) return
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(address, resolve)
    await promise
    server.off('error', reject)
  }

  async function close () {
    closing.abort()
    if (!server.listening) return
    const { promise, resolve } = Promise.withResolvers<void>()
    server.close(() => { resolve() })
    await promise
  }

  return {
    get origin () { return server.listening ? originOf(server.address() as AddressInfo) : undefined },
    warning: address === undefined || isLoopback(address.host) ? undefined : 'It has no tokens: whoever reaches it sees what its switches open. Keep it on an internal network.',
    listen,
    close,
    destroy: () => { server.closeAllConnections() }
  }
}

/** Ends as the engine ends, or at once and properly when the server closes. */
async function * untilClosing (upstream: AsyncIterable<Buffer>, closing: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield * upstream
  } catch (error) {
    if (!closing.aborted) throw error
  }
}

function hasBody (status: number): boolean {
  return status !== 204 && status !== 304
}

/** Without the query, which may hold anything. */
function pathOf ({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]!
}

function originOf ({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
