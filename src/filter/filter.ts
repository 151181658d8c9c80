import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopback } from '../config/loopback.ts'
import type { Config } from '../config/schema.ts'
import type { Engine } from '../engine/engine.ts'
import { DockApiError } from '../errors.ts'
import { drainBody } from '../forward/request-body.ts'
import { parseListenAddress } from './address.ts'
import { answerNoRequest, sendMessage } from './answer.ts'
import { refuseCaller, refuseMore } from './caller.ts'
import { createPassage } from './passage.ts'
import type { Change } from './passage.ts'
import { readSwitches } from './switches.ts'
import { judge } from './verdict.ts'

/** A view of the engine for other programs: what the switches open, read-only but for a few verbs, and nothing else. */
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
  /** Told of every change of a container that the engine was asked for. */
  onChange (change: Change): void
  /** Told of every request that did not pass, and of what failed. */
  onRefusal (refusal: { method: string, path: string, status: number, message: string, cause?: unknown }): void
}

/** How long a request may take to arrive, in milliseconds: it is a head and no more. */
const ARRIVAL_MS = 10_000
const MAX_CONNECTIONS = 1024
const SHOWN_LENGTH = 200

/** @throws ConfigError when a switch is unknown, or is one that is never opened. */
export function createFilter ({ config, engine, statusOf, onChange, onRefusal }: FilterParts): Filter {
  const address = parseListenAddress(config.filter)
  const on = readSwitches(config.filterSections)
  const passage = createPassage({ engine, on, isRedacted: config.filterEnv === 'redacted', maxStreams: config.maxStreams, onChange })
  let closed: Promise<void> | undefined

  const server = createServer({ headersTimeout: ARRIVAL_MS, requestTimeout: ARRIVAL_MS }, handle)
  server.maxConnections = MAX_CONNECTIONS
  server.on('clientError', answerNoRequest)
  // What expects 100 has a body, and that is refused without asking for it.
  server.on('checkContinue', handle)

  function handle (request: IncomingMessage, response: ServerResponse) {
    const { method = '', url = '' } = request
    if (!server.listening) response.shouldKeepAlive = false
    const verdict = judge({ method, url }, on)
    const refusal = refuseCaller(request, config.allowedHosts) ?? (verdict.isPassed ? refuseMore(request) : verdict)
    if (refusal !== undefined) return refuse(request, response, refusal)
    if (verdict.isPassed) passage.pass(verdict.rule, { method, path: verdict.path }, response).catch((error: unknown) => { fail(request, response, error) })
  }

  function refuse (request: IncomingMessage, response: ServerResponse, { status, message, switches = [] }: { status: number, message: string, switches?: readonly string[] }) {
    onRefusal({ method: request.method!, path: pathOf(request), status, message })
    drainBody(request)
    // What follows an upgrade is another protocol.
    sendMessage(response, status, { message, switches }, request.headers.upgrade === undefined ? {} : { connection: 'close' })
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

  async function end () {
    passage.close()
    if (!server.listening) return
    const { promise, resolve } = Promise.withResolvers<void>()
    server.close(() => { resolve() })
    await promise
  }

  return {
    get origin () { return server.listening ? originOf(server.address() as AddressInfo) : undefined },
    warning: address === undefined || isLoopback(address.host) ? undefined : 'It has no tokens: whoever reaches it sees what its switches open. Keep it on an internal network.',
    listen,
    close () {
      closed ??= end()
      return closed
    },
    destroy: () => { server.closeAllConnections() }
  }
}

/** Without the query, which may hold anything, and not all of what is long. */
function pathOf ({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]!.slice(0, SHOWN_LENGTH)
}

function originOf ({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}
