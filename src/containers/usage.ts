import type { Sample } from '../engine/stats.ts'
import type { Stats } from '../../schemas/stats.ts'

/**
 * What a container uses, from two samples of its counters.
 * The rules are those of the docker command (docker/cli `cli/command/container/stats_helpers.go`).
 */
export function usageOf (container: { id: string, name: string }, before: Sample, now: Sample): Stats {
  const cpus = now.cpu_stats.online_cpus || now.cpu_stats.cpu_usage.percpu_usage?.length || 1
  const machinePercent = cpuShare(before, now) * 100
  const { usage = 0, limit } = now.memory_stats ?? {}
  const used = Math.max(usage - cacheOf(now), 0)
  const interfaces = Object.values(now.networks ?? {})
  return {
    container_id: container.id,
    name: container.name,
    time: now.read,
    cpu: { percent: round(machinePercent * cpus), machine_percent: round(machinePercent), online_cpus: cpus },
    memory: { used, limit: limit ?? null, percent: limit === undefined || limit === 0 ? null : round(used / limit * 100) },
    network: { received: sum(interfaces.map(({ rx_bytes: bytes }) => bytes)), sent: sum(interfaces.map(({ tx_bytes: bytes }) => bytes)) },
    block_io: { read: blockBytes(now, 'read'), written: blockBytes(now, 'write') },
    pids: now.pids_stats?.current ?? 0
  }
}

/** Whether the container ran when the sample was taken: the counters of one that has ended are empty. */
export function isRunning ({ cpu_stats: cpu }: Sample): boolean {
  return cpu.system_cpu_usage !== undefined && cpu.system_cpu_usage > 0
}

function cpuShare ({ cpu_stats: before }: Sample, { cpu_stats: now }: Sample): number {
  const own = (now.cpu_usage.total_usage ?? 0) - (before.cpu_usage.total_usage ?? 0)
  const machine = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0)
  return own > 0 && machine > 0 ? own / machine : 0
}

/** cgroup v1 has `total_inactive_file`, v2 `inactive_file`. */
function cacheOf ({ memory_stats: memory }: Sample): number {
  const cache = memory?.stats?.total_inactive_file ?? memory?.stats?.inactive_file ?? 0
  return cache < (memory?.usage ?? 0) ? cache : 0
}

/** `Read` with cgroup v1, `read` with v2. */
function blockBytes ({ blkio_stats: block }: Sample, operation: string): number {
  return sum((block?.io_service_bytes_recursive ?? []).filter(({ op }) => op.toLowerCase() === operation).map(({ value }) => value))
}

function sum (numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function round (percent: number): number {
  return Math.round(percent * 100) / 100
}
