import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { DockApiError } from '../errors.ts'
import { isMovable, isRepeatable, translateFailure } from './failures.ts'
import { heldUpgrade } from './held-upgrade.ts'
import type { Mount } from './mount.ts'
import { drainBody } from './request-body.ts'
import type { ResponseHead } from './response-head.ts'
import { responseHeaders, responseTrailers } from './response-headers.ts'
import { hasSwitched, writeInterim, writeSwitch } from './interim.ts'
import type { Dispatched, Dispatcher, ResponseHandler, UpstreamRequest } from './transport.ts'
import { openTunnel } from './tunnel.ts'
import type { Tunnel } from './tunnel.ts'
import type { Upstream } from './upstream.ts'
import { UpstreamFailure, malformed } from './upstream-failure.ts'

/** One request of a client, and what carries it. */
export type Exchange = {
  /** Resolves once the answer begins; rejects with a DockApiError when nothing was written, and the caller answers. */
  readonly started: Promise<void>
  /** Ends it now, wherever it is; a client sees that its answer is not whole. */
  cut (): void
}

const NOTHING = Buffer.alloc(0)
/** A whole answer up to this size leaves in one piece with its head, in bytes. */
const MAX_HELD = 16 * 1024

export type ExchangeParts = {
  request: IncomingMessage
  response: ServerResponse
  outgoing: UpstreamRequest
  mount: Mount
  transport: Dispatcher
  /** Another upstream that serves the same, for a request that failed; undefined when there is none left, or the one that failed is better. */
  nextUpstream?: ((failure: UpstreamFailure) => Upstream | undefined) | undefined
  /** The client and the upstream were joined; `onEnd` is called no more, `onTunnelEnd` is. */
  onTunnel (tunnel: Tunnel): void
  onTunnelEnd (tunnel: Tunnel): void
  /** Called once, when the exchange is over. */
  onEnd (): void
}

/**
 * Carries a request to an upstream and the answer back, streaming both ways, each side as fast as its reader. A client that leaves
 * ends the upstream's side, and an upstream that breaks off ends the client's, so that half a body never looks whole (RFC 9112 8).
 */
export function startExchange (parts: ExchangeParts): Exchange {
  const { request, response, outgoing, mount, transport } = parts
  const { promise: started, resolve, reject } = Promise.withResolvers<void>()
  const handler: ResponseHandler = { onInterim, onHead, onData, onEnd, onSwitch, onFailure }
  let hasStarted = false
  let hasRepeated = false
  let hasBody = true
  let hasWritten = false
  let held: Buffer | undefined
  let isDelimitedByClose = false
  let waitsForClient = false
  let isOver = false
  response.once('close', onClientClose)
  let dispatched: Dispatched = transport.dispatch(outgoing, handler)
  return { started, cut }

  function onInterim (head: ResponseHead) {
    writeInterim(response, head, mount)
  }

  function onHead (head: ResponseHead) {
    response.writeHead(head.status, head.reason, responseHeaders(head, mount))
    process.nextTick(flushHead)
    hasBody = head.status !== 205
    isDelimitedByClose = !response.chunkedEncoding && typeof head.framing !== 'number'
    hasStarted = true
    resolve()
  }

  /**
   * The head leaves together with what came along of the body, and alone when nothing did, as before the first event of a stream.
   * Not `flushHeaders`, which writes UTF-8 where headers are Latin-1.
   */
  function flushHead () {
    if (isOver || hasWritten) return
    const first = held ?? NOTHING
    held = undefined
    write(first)
  }

  function onData (data: Buffer) {
    if (!hasBody) return
    if (hasWritten || held !== undefined || data.length > MAX_HELD) {
      const first = held
      held = undefined
      if (first !== undefined) write(first)
      write(data)
    } else {
      held = data
    }
  }

  function write (data: Buffer) {
    hasWritten = true
    if (response.write(data)) return
    dispatched.pause()
    if (waitsForClient) return
    waitsForClient = true
    response.once('drain', onDrain)
  }

  function onDrain () {
    waitsForClient = false
    dispatched.resume()
  }

  function onEnd (trailers: string[]) {
    if (trailers.length > 0 && response.chunkedEncoding) response.addTrailers(responseTrailers(trailers))
    if (held === undefined) response.end()
    else response.end(held.toString('latin1'), 'latin1')
    held = undefined
    finish()
  }

  function onSwitch (head: ResponseHead, socket: Socket, rest: Buffer) {
    const held = heldUpgrade(request)
    if (held === undefined || !hasSwitched(head, request.headers.upgrade)) {
      socket.destroy()
      onFailure(malformed('101 for another protocol than was asked for'))
      return
    }
    const early = held.release()
    response.detachSocket(held.socket)
    writeSwitch(held.socket, head, mount)
    held.socket.write(rest)
    socket.write(early)
    const tunnel = openTunnel(held.socket, socket, () => { parts.onTunnelEnd(tunnel) })
    parts.onTunnel(tunnel)
    resolve()
    finish()
  }

  function onFailure (failure: UpstreamFailure) {
    const upstream = hasStarted ? undefined : upstreamForRepetition(failure)
    if (upstream !== undefined) {
      dispatched = transport.dispatch({ ...outgoing, upstream, reuse: 'never' }, handler)
      return
    }
    if (hasStarted) cutClient()
    else reject(translateFailure(failure))
    finish()
  }

  /** To another upstream while there is one; else once to the same, when it only closed a kept connection. */
  function upstreamForRepetition (failure: UpstreamFailure): Upstream | undefined {
    const { method, body, upstream } = outgoing
    const other = isMovable(method, body !== undefined, failure) ? parts.nextUpstream?.(failure) : undefined
    if (other !== undefined) return other
    if (hasRepeated || !isRepeatable(method, body !== undefined, failure)) return undefined
    hasRepeated = true
    return upstream
  }

  function onClientClose () {
    if (isOver) return
    dispatched.abort()
    reject(new DockApiError('client_gone', 'The client went away before the answer was complete.'))
    finish()
  }

  function cut () {
    if (isOver) return
    dispatched.abort()
    if (hasStarted) cutClient()
    else reject(translateFailure(new UpstreamFailure('aborted', 'The server is shutting down.')))
    finish()
  }

  /** Without chunks or a length only a reset tells the client that the body is not whole. */
  function cutClient () {
    if (isDelimitedByClose && response.socket !== null && !('encrypted' in response.socket)) response.socket.resetAndDestroy()
    else response.destroy()
  }

  function finish () {
    isOver = true
    response.off('close', onClientClose)
    if (outgoing.body !== undefined) drainBody(request)
    parts.onEnd()
  }
}
