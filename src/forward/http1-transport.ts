import { openConnection } from './http1-connection.ts'
import type { Connection } from './http1-connection.ts'
import { TRANSPORT_DEFAULTS } from './transport.ts'
import type { Dispatched, ResponseHandler, Transport, TransportSettings, UpstreamRequest } from './transport.ts'
import { UpstreamFailure } from './upstream-failure.ts'
import { originOf } from './upstream.ts'
import type { Upstream } from './upstream.ts'

/** A connection that idled for less was hardly closed meanwhile: most servers keep one for two seconds at least. */
const YOUNG_MS = 1_000

/**
 * HTTP/1.1 to upstreams over kept connections, as many at a time as there are requests, the last used one first. A pool belongs to
 * one container at one address: a connection never serves another container that got the same address later.
 */
export function createHttp1Transport (settings: TransportSettings = TRANSPORT_DEFAULTS): Transport {
  const idle = new Map<string, Connection[]>()
  const open = new Set<Connection>()
  let whenEmpty: (() => void) | undefined
  let isClosing = false

  function dispatch (request: UpstreamRequest, handler: ResponseHandler): Dispatched {
    if (isClosing) return refuse(handler)
    const key = keyOf(request.upstream)
    const connection = request.reuse === 'never' ? undefined : takeIdle(key, request.reuse)
    return connection === undefined ? openFor(request.upstream, key).send(request, handler) : reuse(connection, key, request, handler)
  }

  function takeIdle (key: string, reuse: 'any' | 'young'): Connection | undefined {
    const connections = idle.get(key)
    const last = connections?.at(-1)
    if (last === undefined || (reuse === 'young' && performance.now() - last.idleSince > YOUNG_MS)) return undefined
    connections!.pop()
    return last
  }

  function openFor (upstream: Upstream, key: string): Connection {
    const connection = openConnection(upstream, settings, {
      onIdle: (self) => { if (isClosing) self.destroy(); else keep(key, self) },
      onGone: (self) => { drop(key, self) }
    })
    open.add(connection)
    return connection
  }

  /**
   * A kept connection is used after the event loop has read all sockets once more: bytes, an end or a reset that waited in the
   * kernel close it first, and are not taken for the answer (CVE-2026-6733). What cannot be sent twice waits a turn more: the end of an answer
   * that was read in this very turn is read in the next.
   */
  function reuse (connection: Connection, key: string, request: UpstreamRequest, handler: ResponseHandler): Dispatched {
    let dispatched: Dispatched | undefined
    let isAborted = false
    if (request.reuse === 'young') setImmediate(setImmediate, use)
    else setImmediate(use)
    return {
      pause: () => { dispatched?.pause() },
      resume: () => { dispatched?.resume() },
      abort: () => { isAborted = true; dispatched?.abort() }
    }

    function use () {
      if (isAborted) {
        if (connection.isOpen) keep(key, connection)
      } else {
        const usable = connection.isOpen ? connection : openFor(request.upstream, key)
        dispatched = usable.send(request, handler)
      }
    }
  }

  function keep (key: string, connection: Connection) {
    const connections = idle.get(key)
    if (connections === undefined) idle.set(key, [connection])
    else connections.push(connection)
  }

  function drop (key: string, connection: Connection) {
    open.delete(connection)
    const connections = idle.get(key)
    const index = connections?.indexOf(connection) ?? -1
    if (index !== -1) connections!.splice(index, 1)
    if (connections?.length === 0) idle.delete(key)
    if (open.size === 0) whenEmpty?.()
  }

  function close (): Promise<void> {
    isClosing = true
    for (const connections of [...idle.values()]) for (const connection of [...connections]) connection.destroy()
    if (open.size === 0) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    whenEmpty = resolve
    return promise
  }

  async function destroy () {
    isClosing = true
    for (const connection of [...open]) connection.destroy()
  }

  return { dispatch, close, destroy }
}

function keyOf (upstream: Upstream): string {
  return `${upstream.containerId} ${originOf(upstream)}`
}

function refuse (handler: ResponseHandler): Dispatched {
  setImmediate(() => { handler.onFailure(new UpstreamFailure('aborted', 'The server is shutting down.')) })
  return { pause: ignore, resume: ignore, abort: ignore }
}

function ignore () {}
