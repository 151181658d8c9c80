import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { QueryFlag } from './common.ts'

const Moment = (description: string) => Type.String({
  pattern: '^(\\d+(\\.\\d{1,9})?|\\d+(ms|s|m|h|d)|\\d{4}-\\d{2}-\\d{2}([Tt ].+)?)$', description: `${description} Unix seconds, an RFC 3339 time, or an age such as \`10m\`.`, examples: ['10m']
})

export const LogsQuerySchema = Type.Object({
  tail: Type.String({ default: '200', pattern: '^(all|\\d{1,9})$', description: 'Lines from the end, or `all`.' }),
  follow: QueryFlag('Goes on until the container ends or the client leaves.'),
  since: Type.Optional(Moment('Only lines from then on.')),
  until: Type.Optional(Moment('Only lines before then.')),
  timestamps: QueryFlag('Each line begins with its time.'),
  stdout: QueryFlag('Includes stdout.', true),
  stderr: QueryFlag('Includes stderr.', true)
}, { additionalProperties: false })
export type LogsQuery = Static<typeof LogsQuerySchema>
