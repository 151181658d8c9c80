import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { QueryFlag } from './common.ts'
import { model, oneOf } from './model.ts'
import { batchOf } from './streams.ts'

export const Moment = (description: string) => Type.String({
  pattern: '^(\\d+(\\.\\d{1,9})?|\\d+(ms|s|m|h|d)|\\d{4}-\\d{2}-\\d{2}([Tt ].+)?)$', description: `${description} Unix seconds, an RFC 3339 time, or an age such as \`10m\`.`, examples: ['10m']
})

const lineFilters = {
  grep: Type.Optional(Type.String({ minLength: 1, maxLength: 1000, description: 'Only lines that contain this text.' })),
  regex: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Only lines that match this expression (RE2 syntax).', examples: ['(?i)error|warn'] }))
}

export const LogsQuerySchema = Type.Object({
  tail: Type.String({ default: '200', pattern: '^(all|\\d{1,9})$', description: 'Lines from the end, or `all`.' }),
  follow: oneOf(['false', 'true', 'restart'], { default: 'false', description: '`true` goes on until the container ends or the client leaves, `restart` through restarts until it is removed.' }),
  since: Type.Optional(Moment('Only lines from then on.')),
  until: Type.Optional(Moment('Only lines before then.')),
  timestamps: QueryFlag('Each line begins with its time.'),
  stdout: QueryFlag('Includes stdout.', true),
  stderr: QueryFlag('Includes stderr.', true),
  ...lineFilters,
  download: QueryFlag('The answer is a file to keep: sets `Content-Disposition`.')
}, { additionalProperties: false })
export type LogsQuery = Static<typeof LogsQuerySchema>

export const MAX_MERGED = 50

export const MergedLogsQuerySchema = Type.Object({
  label: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), { maxItems: 20, description: 'Only containers with this label, `key` or `key=value`; all of them when there are several.', examples: [['app=shop']] })),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Only containers with this part in their name.' })),
  container: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { maxItems: MAX_MERGED, description: 'Only these containers, each of which must be there: full id, at least 12 characters of it, or name. Repeat it for several.' })),
  tail: Type.String({ default: '200', pattern: '^(all|\\d{1,9})$', description: 'Lines from the end of each container, or `all`.' }),
  follow: QueryFlag('Goes on until the client leaves, with containers that start later too.'),
  since: Type.Optional(Moment('Only lines from then on.')),
  until: Type.Optional(Moment('Only lines before then; not with `follow`.')),
  timestamps: QueryFlag('Each line begins with its time.'),
  stdout: QueryFlag('Includes stdout.', true),
  stderr: QueryFlag('Includes stderr.', true),
  ...lineFilters,
  download: QueryFlag('The answer is a file to keep: sets `Content-Disposition`.')
}, { additionalProperties: false })
export type MergedLogsQuery = Static<typeof MergedLogsQuerySchema>

const logLine = {
  stream: oneOf(['stdout', 'stderr']),
  time: Type.String({ description: 'When the engine read the line, RFC 3339 with nanoseconds.' }),
  line: Type.String({ description: 'The line without its end.' }),
  partial: Type.Optional(Type.Literal(true, { description: 'The line is longer than 64 KiB and goes on in the next event of the same stream.' }))
}

export const LogLineSchema = model('LogLine', {
  event: Type.Literal('log'),
  id: Type.String({ description: 'Send it as `Last-Event-ID` to go on after this line.' }),
  ...logLine
}, {
  description: 'A line of NDJSON. In Server-Sent Events `event` and `id` are fields of the message and the rest is its `data`.',
  examples: [{ event: 'log', id: '2026-01-05T10:00:00.000000001Z~7', stream: 'stdout', time: '2026-01-05T10:00:00.123456789Z', line: 'listening on port 80' }]
})

export const LogBatchSchema = batchOf('LogBatch', LogLineSchema)

export const MergedLogLineSchema = model('MergedLogLine', {
  event: Type.Literal('log'),
  id: Type.String({ description: 'Send it as `Last-Event-ID` to go on after this line.' }),
  container_id: Type.String({ description: 'Full id.' }),
  container_name: Type.String(),
  ...logLine
}, {
  description: 'A line of one of several containers.',
  examples: [{ event: 'log', id: '2026-01-05T10:00:00.123456789Z~4f0c1ee7a9b5~1', container_id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556', container_name: 'shop-1', stream: 'stdout', time: '2026-01-05T10:00:00.123456789Z', line: 'listening on port 80' }]
})

export const LogLeftOutSchema = model('LogLeftOut', {
  event: Type.Literal('left_out'),
  container_id: Type.String({ description: 'Full id.' }),
  container_name: Type.String(),
  detail: Type.String({ description: 'Why, as a plain sentence.' })
}, {
  description: 'A container that matches and started while as many logs were read as one as can be: its lines are not among these. It has no id, and grep and regex do not count for it.',
  examples: [{ event: 'left_out', container_id: '9d1c2b3a4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566', container_name: 'shop-51', detail: 'left out: 50 logs are read as one already' }]
})

export const MergedLogBatchSchema = batchOf('MergedLogBatch', MergedLogLineSchema, [LogLeftOutSchema])
