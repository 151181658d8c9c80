import { endOf } from '../streams/delivery.ts'
import type { StreamSource } from '../streams/delivery.ts'
import { documentOf } from '../streams/encoder.ts'
import type { StreamEnd } from '../streams/encoder.ts'
import type { MessageSocket, SocketLimits } from './message-socket.ts'

/** A client of a stream of events has nothing to say. */
export const EVENT_SOCKET_LIMITS: SocketLimits = { maxMessageBytes: 4096, messages: { perSecond: 20, burst: 100, bytesPerMessage: Infinity } }

/**
 * Sends a stream over a WebSocket: each event as one text message, the document that a line of NDJSON would be, the last one `end`;
 * then the connection is closed with a code that says the same. The source is asked for more only as fast as the client reads.
 * @param closing Aborted when the server shuts down.
 */
export async function sendEvents (socket: MessageSocket, source: StreamSource, closing: AbortSignal): Promise<void> {
  const end = await sendAll(socket, source, closing)
  await finishSocket(socket, end)
}

/** Sends the last event and closes. */
export async function finishSocket (socket: MessageSocket, end: StreamEnd): Promise<void> {
  await socket.send(documentOf({ event: 'end', data: end }))
  socket.close(closeCodeOf(end), end.detail ?? end.reason)
}

async function sendAll (socket: MessageSocket, source: StreamSource, closing: AbortSignal): Promise<StreamEnd> {
  try {
    for (;;) {
      const { done, value } = await source.next()
      if (done === true) return { reason: closing.aborted ? 'shutting_down' : value }
      for (const event of value) await socket.send(documentOf(event))
    }
  } catch (error) {
    return closing.aborted ? { reason: 'shutting_down' } : endOf(error)
  } finally {
    await source.return('complete').catch(() => {})
  }
}

/** RFC 6455 section 7.4.1, and 1013 of the IANA registry: try again later. */
function closeCodeOf ({ reason }: StreamEnd): number {
  switch (reason) {
    case 'shutting_down': return 1001
    case 'too_slow': return 1013
    case 'engine_lost': return 1011
    case 'failed': return 1011
    default: return 1000
  }
}
