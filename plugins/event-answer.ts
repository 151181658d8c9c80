import type { FastifyReply, FastifyRequest } from 'fastify'
import { streamEvents } from '../src/images/event-stream.ts'
import type { EventForm, EventSink } from '../src/images/event-stream.ts'
import { describeFailure } from './errors.ts'

/** Answers with the events of a piece of work as they happen; a failure is the last event, since the status is out already. */
export function answerWithEvents (request: FastifyRequest, reply: FastifyReply, form: EventForm, work: (sink: EventSink) => Promise<object>) {
  reply.type(`${form}; charset=utf-8`).header('x-accel-buffering', 'no')
  return reply.send(streamEvents(form, work, (error) => describeFailure(error, request), request.gone))
}
