import type { FastifyReply, FastifyRequest } from 'fastify'
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
