import type { ContainerChanges, ContainerSpec } from '../engine/containers.ts'
import { NO_NEW_PRIVILEGES } from './host.ts'
import { denied } from './denial.ts'
import type { Denial } from './denial.ts'
import type { PolicyConfig } from './members.ts'

type HostConfig = NonNullable<ContainerSpec['HostConfig']>

const NANOSECONDS = 1e9

/** What every container has to have, whoever asked for it: rights taken away, and limits where there are any to keep. */
export function judgeDuties (host: HostConfig, config: PolicyConfig): Denial[] {
  const missing = requiredDrops(config).filter((name) => !isDropped(name, host.CapDrop ?? []))
  return [
    ...((host.SecurityOpt as string[] | null)?.some((option) => NO_NEW_PRIVILEGES.includes(option)) === true ? [] : denied('SecurityOpt', 'a container must have "no-new-privileges"')),
    ...(missing.length === 0 ? [] : denied('CapDrop', `the capabilities ${missing.join(', ')} must be dropped`, 'DOCKAPI_CAP_DROP')),
    ...judgeLimits({ Memory: 0, MemorySwap: host.Memory ?? 0, NanoCpus: 0, PidsLimit: 0, ...host }, config)
  ]
}

/** Capabilities as the engine is told to drop them. */
export function requiredDrops ({ capDrop }: Pick<PolicyConfig, 'capDrop'>): string[] {
  return capDrop.includes('NONE') ? [] : [...new Set(capDrop)]
}

/** Limits that are given and too high. For the engine 0 and less, and no number at all, mean that there is none. */
export function judgeLimits (host: ContainerChanges, { maxMemory, maxCpus, maxPids }: PolicyConfig): Denial[] {
  const cpus = host.NanoCpus === undefined ? undefined : host.NanoCpus / NANOSECONDS
  return [
    ...judgeLimit('Memory', host.Memory, maxMemory, 'bytes of memory', 'DOCKAPI_MAX_MEMORY'),
    ...judgeLimit('MemorySwap', host.MemorySwap, maxMemory, 'bytes of memory and swap together', 'DOCKAPI_MAX_MEMORY'),
    ...judgeLimit('NanoCpus', cpus, maxCpus, 'CPUs', 'DOCKAPI_MAX_CPUS'),
    ...judgeLimit('PidsLimit', host.PidsLimit, maxPids, 'processes', 'DOCKAPI_MAX_PIDS')
  ]
}

function judgeLimit (rule: string, value: number | null | undefined, most: number | undefined, what: string, setting: string): Denial[] {
  if (most === undefined || value === undefined || (value !== null && value > 0 && value <= most)) return []
  return denied(rule, `a container may be given ${most} ${what} at most`, setting)
}

function isDropped (name: string, dropped: readonly string[]): boolean {
  return dropped.some((entry) => entry.toUpperCase() === 'ALL' || entry.toUpperCase().replace(/^CAP_/, '') === name)
}
