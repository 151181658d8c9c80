import type { FastifyReply, FastifyRequest } from 'fastify'
import { EVENT_PROTOCOLS, EVENT_SOCKET_LIMITS } from '../src/sockets/events.ts'
import { selectProtocol } from '../src/sockets/handshake.ts'
import { UPLOAD_SOCKET_LIMITS } from '../src/sockets/upload.ts'
import type { SocketUpload } from '../src/sockets/upload.ts'
import { sendWork } from '../src/sockets/work.ts'
import { MEDIA_TYPES } from '../src/streams/form.ts'
import type { Form } from '../src/streams/form.ts'
import { streamWork } from '../src/streams/work.ts'
import type { EventSink } from '../src/streams/work.ts'
import { describeFailure } from './errors.ts'

/** Answers with the events of a piece of work as they happen; a failure is the last event, since the status is out already. */
export function answerWithEvents (request: FastifyRequest, reply: FastifyReply, form: Exclude<Form, 'json'>, work: (sink: EventSink) => Promise<object>) {
  reply.type(`${MEDIA_TYPES[form]}; charset=utf-8`).header('x-accel-buffering', 'no')
  return reply.send(streamWork(form, work, (error) => describeFailure(error, request), request.gone))
}

/**
 * The same over a WebSocket, then `end` and a close code. It counts among the streams, and a client that leaves aborts the work's signal.
 * @param upload What the client sends to the work.
 */
export async function answerOnSocket (request: FastifyRequest, reply: FastifyReply, work: (sink: EventSink, signal: AbortSignal) => Promise<object>, upload?: SocketUpload) {
  const { streams } = request.server
  const protocol = selectProtocol(request.raw, EVENT_PROTOCOLS)
  await streams.admit(async (signal) => {
    const socket = reply.acceptSocket(upload === undefined ? EVENT_SOCKET_LIMITS : UPLOAD_SOCKET_LIMITS, protocol)
    upload?.from(socket)
    const sent = sendWork(socket, (sink) => work(sink, signal), (error) => describeFailure(error, request), streams.closing).catch(() => { socket.destroy() })
    request.change.hold(sent)
    return socket
  }, request.gone)
  return reply
}
