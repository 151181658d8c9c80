import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable } from './model.ts'

const Time = (description: string) => nullable(Type.String({ format: 'date-time', description }))

export const TombstoneSchema = model('Tombstone', {
  id: Type.String({ description: 'Full id.' }),
  name: Type.String(),
  image: Type.String({ description: 'The image as it was asked for.' }),
  labels: Type.Record(Type.String(), Type.String()),
  exit_code: nullable(Type.Integer({ description: 'Null when it never ended, or nobody could be asked.' })),
  oom_killed: Type.Boolean({ description: 'Whether it was killed because it ran out of memory.' }),
  error: nullable(Type.String({ description: 'What the engine said when it could not be started.' })),
  created_at: Time('When it was made.'),
  started_at: Time('When it was started last.'),
  finished_at: Time('When it ended.'),
  removed_at: Time('When it was removed; that it was found removed, when nobody was there to see.'),
  log_bytes: Type.Integer({ description: 'How much of its log is kept: the last 64 KiB at most.' }),
  log_truncated: Type.Boolean({ description: 'Whether there was more.' })
}, {
  description: 'What is kept of a container that is gone.',
  examples: [{
    id: '4f0c1ee7a9b5c6d2e3f40112233445566778899aabbccddeeff0011223344556',
    name: 'nightly',
    image: 'report:2',
    labels: { 'dockapi.managed': 'true', 'dockapi.name': 'nightly' },
    exit_code: 137,
    oom_killed: true,
    error: null,
    created_at: '2026-01-05T10:00:00.000Z',
    started_at: '2026-01-05T10:00:00.400Z',
    finished_at: '2026-01-05T10:07:12.031Z',
    removed_at: '2026-01-05T10:07:12.118Z',
    log_bytes: 5120,
    log_truncated: false
  }]
})
export type Tombstone = Static<typeof TombstoneSchema>
