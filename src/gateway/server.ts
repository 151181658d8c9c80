import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isLoopback } from '../config/loopback.ts'
import { DockApiError } from '../errors.ts'
import { headTimeouts } from '../forward/head-timeouts.ts'
import { drainBody } from '../forward/request-body.ts'
import { cutStalledReaders } from '../forward/stalled-readers.ts'
import { acceptUpgrades, isUpgradable } from '../forward/upgrades.ts'
import type { Problem } from '../../schemas/problem.ts'
import { PAGE_POLICY, renderPage, wantsPage } from './page.ts'

export type ServerOptions = {
  /** Resolves once the answer begins. @throws DockApiError before anything was written. */
  serve (request: IncomingMessage, response: ServerResponse): Promise<void>
  /** The problem document of an error. */
  describe (error: DockApiError, request: IncomingMessage): Problem
  /** Answers what is no HTTP request at all. */
  onClientError (error: Error, socket: Socket): void
  /** Told of every failure that is answered here. */
  onRefusal (error: DockApiError, problem: Problem): void
  /** How long a client may take for the head of a request, or not read what it asked for, in milliseconds. */
  clientTimeoutMs: number
  /** Told of every request before it is served. */
  onRequest?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
}

/** How long an idle connection is kept, in milliseconds: longer than load balancers keep theirs. */
const KEEP_ALIVE_MS = 72_000
const ELSEWHERE = 'Whoever runs this gateway sees the reason with GET /routes/explain, and in its log.'
const FORWARDED = ['forwarded', 'x-forwarded-for', 'via'] as const

/**
 * The listener of the gateway: strict HTTP/1.1, no limit on how long a request or an answer may take, but one on its head (16 KiB: Node's own)
 * and on how long a client may keep the gateway waiting. Failures are problem documents for programs and a small page for browsers.
 */
export function createGatewayServer ({ serve, describe, onClientError, onRefusal, onRequest, clientTimeoutMs }: ServerOptions): Server {
  const take = onRequest === undefined ? handle : takeNoted
  const server = createServer({ requestTimeout: 0, ...headTimeouts(clientTimeoutMs), keepAliveTimeout: KEEP_ALIVE_MS, requireHostHeader: false, optimizeEmptyRequests: true, shouldUpgradeCallback: isUpgradable }, take)
  acceptUpgrades(server, take)
  server.on('clientError', onClientError)
  server.once('close', cutStalledReaders(server, clientTimeoutMs))
  return server

  function takeNoted (request: IncomingMessage, response: ServerResponse) {
    onRequest?.(request, response)
    handle(request, response)
  }

  function handle (request: IncomingMessage, response: ServerResponse) {
    serve(request, response).catch((error: unknown) => { refuse(request, response, asDockApiError(error)) })
  }

  function refuse (request: IncomingMessage, response: ServerResponse, error: DockApiError) {
    const problem = describe(error, request)
    onRefusal(error, problem)
    if (response.headersSent || response.destroyed) {
      response.destroy()
      return
    }
    drainBody(request)
    const shown = isNear(request) ? problem : discreet(problem)
    const isPage = wantsPage(request.headers.accept)
    const body = isPage ? renderPage(shown) : JSON.stringify(shown)
    if (!server.listening) response.shouldKeepAlive = false
    response.writeHead(problem.status, {
      'content-type': isPage ? 'text/html; charset=utf-8' : 'application/problem+json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-request-id': problem.request_id,
      'x-content-type-options': 'nosniff',
      ...(isPage ? { 'content-security-policy': PAGE_POLICY } : {}),
      ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) })
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
}

function asDockApiError (error: unknown): DockApiError {
  return error instanceof DockApiError ? error : new DockApiError('internal_error', 'Something went wrong in the server itself.', { cause: error })
}

/** Whoever sits at this machine may know how it is built; a request that passed another proxy may come from anywhere. */
function isNear ({ socket, headers }: IncomingMessage): boolean {
  return isLoopback((socket.remoteAddress ?? '').replace(/^::ffff:/, '')) && FORWARDED.every((name) => headers[name] === undefined)
}

/** What strangers get: that it did not work, whether to come again, and who knows more. */
function discreet ({ type, title, status, instance, code, retryable, request_id: id }: Problem): Problem {
  return { type, title, status, detail: `${title}.`, error: `${title}.`, hint: ELSEWHERE, instance, code, retryable, request_id: id }
}
