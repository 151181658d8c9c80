import { Type } from '@sinclair/typebox'
import { model, oneOf, ref } from './model.ts'

/** What takes up a stream where it was left. */
export const ResumeHeadersSchema = Type.Object({
  'last-event-id': Type.Optional(Type.String({ maxLength: 200, description: 'The id of the last event that was received: the stream goes on after it. An EventSource sends it by itself.' }))
})

export const StreamEndSchema = model('StreamEnd', {
  event: Type.Literal('end'),
  reason: oneOf(['complete', 'container_ended', 'container_removed', 'until_reached', 'limit_reached', 'timeout', 'too_slow', 'shutting_down', 'engine_lost', 'failed']),
  code: Type.Optional(Type.String({ description: 'Beside a failure: its code, as in problem documents.' })),
  detail: Type.Optional(Type.String({ description: 'Beside a failure: a plain sentence.' }))
}, { description: 'The last event of every stream: why it ended.', examples: [{ event: 'end', reason: 'container_ended' }] })

const { event: _event, ...endProperties } = StreamEndSchema.properties

/** The bounded form of a stream, for clients that read nothing before they have all. */
export function batchOf<T extends ReturnType<typeof model>> (name: string, event: T, others: ReadonlyArray<ReturnType<typeof model>> = []) {
  return model(name, {
    events: Type.Array(others.length === 0 ? ref(event) : Type.Union([ref(event), ...others.map((other) => ref(other))])),
    end: Type.Object(endProperties, { description: 'Why there are no more.' })
  }, { description: 'The stream as one document.', examples: [{ events: event.examples as unknown[], end: { reason: 'complete' } }] })
}

type Example = { event: string, id?: string }

/**
 * The media types of a stream of events, for the `response` schema of its route.
 * @param event Model of one event; its example is shown in each form. @param batch Model of the bounded form, where there is one.
 * @param others Models of events that come beside it.
 */
export function streamContent<T extends ReturnType<typeof model>, B extends ReturnType<typeof model>> (event: T, batch?: B, others: ReadonlyArray<ReturnType<typeof model>> = []) {
  const schema = Type.Union([ref(event), ...others.map((other) => ref(other)), ref(StreamEndSchema)])
  const example = (event.examples as Example[])[0]!
  const { event: name, id, ...data } = example
  return {
    ...(batch === undefined ? {} : { 'application/json': { schema: ref(batch) } }),
    'application/x-ndjson': { schema, example: `${JSON.stringify(example)}\n{"event":"end","reason":"container_ended"}\n` },
    'text/event-stream': { schema, example: `event: ${name}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\nevent: end\ndata: {"reason":"container_ended"}\n\n` }
  }
}
