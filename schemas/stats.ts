import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { model, nullable, oneOf, ref } from './model.ts'

const properties = {
  container_id: Type.String(),
  name: Type.String(),
  time: Type.String({ description: 'By the engine\'s clock, RFC 3339.' }),
  cpu: Type.Object({
    percent: Type.Number({ description: '100 is one whole CPU, as `docker stats` shows it.' }),
    machine_percent: Type.Number({ description: '100 is every CPU of the machine.' }),
    online_cpus: Type.Integer()
  }),
  memory: Type.Object({
    used: Type.Integer({ description: 'Without the cache of files that can be dropped, in bytes.' }),
    limit: nullable(Type.Integer({ description: 'In bytes; that of the machine where the container has none.' })),
    percent: nullable(Type.Number())
  }),
  network: Type.Object({ received: Type.Integer(), sent: Type.Integer() }, { description: 'Bytes since the start, all interfaces; 0 with the network of the host.' }),
  block_io: Type.Object({ read: Type.Integer(), written: Type.Integer() }, { description: 'Bytes since the start.' }),
  pids: Type.Integer({ description: 'Processes and threads.' })
}

const EXAMPLE = {
  container_id: '3f2a',
  name: 'my-nginx',
  time: '2026-01-05T10:00:00.123456789Z',
  cpu: { percent: 12.5, machine_percent: 3.13, online_cpus: 4 },
  memory: { used: 8_388_608, limit: 1_073_741_824, percent: 0.78 },
  network: { received: 1799, sent: 891 },
  block_io: { read: 0, written: 4096 },
  pids: 5
}

export const StatsSchema = model('Stats', properties, { description: 'What a container uses.', examples: [EXAMPLE] })
export type Stats = Static<typeof StatsSchema>

export const StatsEventSchema = model('StatsEvent', { event: Type.Literal('stats'), ...properties }, { description: 'What a container uses, once a second.', examples: [{ event: 'stats', ...EXAMPLE }] })

export const ProcessesSchema = model('Processes', {
  titles: Type.Array(Type.String()),
  processes: Type.Array(Type.Array(Type.String()))
}, { description: 'The processes of a container, a row each.', examples: [{ titles: ['UID', 'PID', 'CMD'], processes: [['root', '18635', 'nginx: master process nginx']] }] })

export const FileChangeSchema = model('FileChange', {
  path: Type.String(),
  kind: oneOf(['changed', 'added', 'deleted'])
}, { description: 'A path that differs from the image.', examples: [{ path: '/run/nginx.pid', kind: 'added' }] })

export const StatsListSchema = Type.Array(ref(StatsSchema))
export const FileChangesSchema = Type.Array(ref(FileChangeSchema))
