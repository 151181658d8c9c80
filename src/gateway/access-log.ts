import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Forwarder } from '../forward/forwarder.ts'
import { heldUpgrade } from '../forward/held-upgrade.ts'
import { requestIdOf } from '../log/request-id.ts'
import { visible } from '../visible.ts'
import { peerOf } from './asked.ts'

/** A request to the gateway, once it is over. No query and no header of it but these: an application may have secrets in both. */
export type AccessEntry = {
  /** When it came. */
  time: string
  host: string
  method: string
  path: string
  /** Of the answer; 101 after a switch of protocols, 499 when the client left before there was one. */
  status: number
  /** Sent to the client, heads included. */
  bytes: number
  duration_ms: number
  /** Full id of the container that it went to last; null when it went to none. */
  container_id: string | null
  request_id: string
  peer: string
  user_agent: string | null
}

export type AccessLog = {
  /** A request came. */
  begin (request: IncomingMessage, response: ServerResponse): void
  /** The same forwarder; where it brings requests is noted. */
  watching (forwarder: Forwarder): Forwarder
}

const MAX_TEXT = 512
/** Of nginx: the client closed the request. */
const CLIENT_GONE = 499

type Way = { containerId: string | null, isAnswered: boolean }

export function createAccessLog (write: (entry: AccessEntry) => void): AccessLog {
  const ways = new WeakMap<IncomingMessage, Way>()

  function begin (request: IncomingMessage, response: ServerResponse) {
    const [startedAt, startedMs] = [new Date(), performance.now()]
    const { socket, method = '', url = '/', headers } = request
    const [peer, bytesBefore] = [peerOf(request), socket.bytesWritten]
    const way: Way = { containerId: null, isAnswered: false }
    ways.set(request, way);
    // An exchange ends with its answer, an upgraded connection with its socket.
    (heldUpgrade(request)?.socket ?? response).once('close', () => {
      write({
        time: startedAt.toISOString(),
        host: shown(headers.host ?? ''),
        method,
        path: shown(pathOf(url)),
        status: response.headersSent ? response.statusCode : way.isAnswered ? 101 : CLIENT_GONE,
        bytes: socket.bytesWritten - bytesBefore,
        duration_ms: Number((performance.now() - startedMs).toFixed(1)),
        container_id: way.containerId,
        request_id: requestIdOf(request),
        peer,
        user_agent: headers['user-agent'] === undefined ? null : shown(headers['user-agent'])
      })
    })
  }

  function watching (forwarder: Forwarder): Forwarder {
    return {
      ...forwarder,
      async forward (request, response, upstream, options) {
        const way = ways.get(request)
        if (way === undefined) return await forwarder.forward(request, response, upstream, options)
        const { nextUpstream } = options
        way.containerId = upstream.containerId
        await forwarder.forward(request, response, upstream, {
          ...options,
          nextUpstream: nextUpstream && ((failure) => {
            const next = nextUpstream(failure)
            way.containerId = next?.containerId ?? way.containerId
            return next
          })
        })
        way.isAnswered = true
      }
    }
  }

  return { begin, watching }
}

/** Of a target in absolute form (RFC 9112 section 3.2.2) too, which may hold a password. */
function pathOf (target: string): string {
  return target.split(/[?#]/, 1)[0]!.replace(/^https?:\/\/[^/]*/i, '')
}

function shown (text: string): string {
  return visible(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)
}
