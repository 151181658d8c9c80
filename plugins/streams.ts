import { Readable } from 'node:stream'
import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { deliver, deliverBytes } from '../src/streams/delivery.ts'
import type { StreamSource } from '../src/streams/delivery.ts'
import { createEncoder } from '../src/streams/encoder.ts'
import type { Encoder, StreamEvent } from '../src/streams/encoder.ts'
import { EVENT_PROTOCOLS, EVENT_SOCKET_LIMITS, sendEvents } from '../src/sockets/events.ts'
import { selectProtocol } from '../src/sockets/handshake.ts'
import { MEDIA_TYPES } from '../src/streams/form.ts'
import type { Form } from '../src/streams/form.ts'
import { createEventHub } from '../src/streams/event-hub.ts'
import type { EventHub } from '../src/streams/event-hub.ts'
import { createLogHub } from '../src/streams/log-hub.ts'
import type { LogHub } from '../src/streams/log-hub.ts'
import { createStreams } from '../src/streams/registry.ts'
import type { Streams } from '../src/streams/registry.ts'

export type StreamAnswer = {
  form: Form
  /** Opens what is streamed, as events or as the very bytes. What it throws is answered as a problem: nothing is sent before. */
  open (signal: AbortSignal): Promise<StreamSource | Readable>
  /** How an event reads as plain text, where that form is offered. */
  textOf? (event: StreamEvent): string
  /** Writes events in a way of its own. */
  encoder?: Encoder
}

declare module 'fastify' {
  interface FastifyInstance {
    streams: Streams
    /** The engine's events, from one stream of the engine for all who listen. */
    events: EventHub
    /** The logs that are followed, from one stream of the engine each. */
    logs: LogHub
  }
  interface FastifyReply {
    /** Answers with a stream in the form that was negotiated, over a WebSocket when the client asks for one. `HEAD` gets the headers and opens nothing. */
    sendStream (answer: StreamAnswer): Promise<FastifyReply>
  }
}

async function streams (app: FastifyInstance) {
  const created = createStreams()
  app.decorate('streams', created)
  app.decorate('events', createEventHub(app.engine))
  app.decorate('logs', createLogHub(app.engine))
  app.decorateReply('sendStream', async function (this: FastifyReply, { form, open, textOf = () => '', encoder = createEncoder(form, textOf) }) {
    this.type(`${MEDIA_TYPES[form]}; charset=utf-8`)
    this.headers({ 'x-content-type-options': 'nosniff', 'x-accel-buffering': 'no', 'cache-control': 'no-store', vary: 'Accept' })
    // Nobody knows how long the stream would be.
    if (this.request.method === 'HEAD') return this.send(Readable.from([]))
    const protocol = this.request.isSocket ? selectProtocol(this.request.raw, EVENT_PROTOCOLS) : undefined
    // Fastify keeps the headers back until there is a first chunk, which may be a long time off.
    this.raw.once('pipe', () => this.raw.flushHeaders())
    const answer = await created.admit(async (signal) => {
      const source = await open(signal)
      if (source instanceof Readable) return deliverBytes(source, created.closing)
      if (!this.request.isSocket) return deliver(source, { encoder, closing: created.closing })
      const socket = this.acceptSocket(EVENT_SOCKET_LIMITS, protocol)
      sendEvents(socket, source, created.closing).catch(() => { socket.destroy() })
      return socket
    }, this.request.gone)
    return answer instanceof Readable ? this.send(answer) : this
  })
  app.addHook('preClose', async () => { await created.close() })
}

export default fp(streams, { name: 'streams', fastify: '5.x', dependencies: ['abort', 'engine', 'websocket'] })
