import t from 'tap'
import { isRunning, usageOf } from '../../../src/containers/usage.ts'
import type { Sample } from '../../../src/engine/stats.ts'

const CONTAINER = { id: 'abc', name: 'web' }
const sample = (own: number, machine: number, more: Partial<Sample> = {}): Sample => ({ read: '2026-01-05T10:00:00Z', cpu_stats: { cpu_usage: { total_usage: own }, system_cpu_usage: machine, online_cpus: 4 }, ...more })

t.test('half of one CPU of four', async (t) => {
  t.same(usageOf(CONTAINER, sample(1000, 8000), sample(1500, 12_000)).cpu, { percent: 50, machine_percent: 12.5, online_cpus: 4 })
})

t.test('counters that began anew are no use below zero', async (t) => {
  t.equal(usageOf(CONTAINER, sample(1000, 8000), sample(10, 12_000)).cpu.percent, 0)
  t.equal(usageOf(CONTAINER, sample(1000, 8000), sample(2000, 8000)).cpu.percent, 0)
})

t.test('memory without cache and disk, cgroup v1 and v2', async (t) => {
  const v1 = sample(1, 1, {
    memory_stats: { usage: 1000, limit: 4000, stats: { total_inactive_file: 200, inactive_file: 1 } },
    blkio_stats: { io_service_bytes_recursive: [{ op: 'Read', value: 5 }, { op: 'Write', value: 7 }, { op: 'Total', value: 12 }] }
  })
  const v2 = sample(1, 1, {
    memory_stats: { usage: 1000, limit: 4000, stats: { inactive_file: 200 } },
    blkio_stats: { io_service_bytes_recursive: [{ op: 'read', value: 5 }, { op: 'write', value: 7 }] }
  })
  for (const now of [v1, v2]) t.match(usageOf(CONTAINER, now, now), { memory: { used: 800, limit: 4000, percent: 20 }, block_io: { read: 5, written: 7 } })
})

t.test('what an engine leaves out is nothing', async (t) => {
  const bare = { read: '', cpu_stats: { cpu_usage: {} }, blkio_stats: { io_service_bytes_recursive: null } }
  t.match(usageOf(CONTAINER, bare, bare), { cpu: { percent: 0 }, memory: { used: 0, limit: null, percent: null }, network: { received: 0, sent: 0 }, block_io: { read: 0, written: 0 }, pids: 0 })
  t.notOk(isRunning(bare))
  t.ok(isRunning(sample(0, 1)))
})

t.end()
