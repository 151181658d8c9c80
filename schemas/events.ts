import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { Moment } from './logs.ts'
import { model, oneOf } from './model.ts'
import { batchOf } from './streams.ts'

const EventType = oneOf(['container', 'image', 'network', 'dockapi'])
const Several = (item: ReturnType<typeof Type.String> | typeof EventType, description: string) => Type.Optional(Type.Array(item, { maxItems: 20, description: `${description} Repeat it for several.` }))

export const EventsQuerySchema = Type.Object({
  type: Several(EventType, 'Only events of this kind of object.'),
  action: Several(Type.String({ minLength: 1, maxLength: 100 }), 'Only this action, such as `start`, `die` or `health_status`.'),
  label: Several(Type.String({ minLength: 1, maxLength: 1000 }), 'Only objects with this label, `name` or `name=value`; all of them when there are several.'),
  container: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Only events of this container: full id, at least 12 characters of it, or name. It need not exist yet.' })),
  since: Type.Optional(Moment('What happened from then on comes first, as far as the engine remembers.')),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: 'Ends after so many events; 100 as JSON, else no limit.' })),
  timeout: Type.Optional(Type.Number({ minimum: 0, maximum: 3600, description: 'Ends after so many seconds; 5 as JSON, else no limit.' }))
}, { additionalProperties: false })
export type EventsQuery = Static<typeof EventsQuerySchema>

export const EngineEventSchema = model('EngineEvent', {
  event: EventType,
  id: Type.String({ description: 'Send it as `Last-Event-ID` to go on after this event.' }),
  action: Type.String({ description: '`create`, `start`, `die`, `pull`, `connect`, …; of dockAPI\'s own `ready` (the gateway can send it requests), `drained` (its last request is answered), `tombstoned` (it is gone, and noted).' }),
  detail: Type.Optional(Type.String({ description: 'What the engine adds, such as `healthy`.' })),
  time: Type.String({ format: 'date-time' }),
  subject: Type.Object({
    id: Type.String({ description: 'Id of the container or network, or reference of the image; `dockapi` when it happened to dockAPI itself.' }),
    name: Type.Optional(Type.String())
  }, { description: 'What it happened to.' }),
  attributes: Type.Record(Type.String(), Type.String(), { description: 'As the engine tells: labels, `image`, `exitCode`, `signal`, …' })
}, {
  description: 'Something that happened on the engine, or that dockAPI did.',
  examples: [{ event: 'container', id: '1767607200123456789~1767607195000001', action: 'die', time: '2026-01-05T10:00:00.123Z', subject: { id: '3f2a', name: 'my-nginx' }, attributes: { image: 'nginx:latest', exitCode: '0' } }]
})

export const EventBatchSchema = batchOf('EventBatch', EngineEventSchema)
