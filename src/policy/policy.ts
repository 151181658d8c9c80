import { DockApiError } from '../errors.ts'
import type { ContainerSpec } from '../engine/containers.ts'
import { judgeBind } from './binds.ts'

/** One reason why a container may not be made, and the setting that would allow it, where there is one. */
export type Denial = { rule: string, message: string, setting?: string }

export type PolicyConfig = { volumeRoots: readonly string[] }

type HostConfig = NonNullable<ContainerSpec['HostConfig']>

/** What must be empty or false in the object that is sent to the engine (research S12, DESIGN section 7). */
const FORBIDDEN = {
  Privileged: 'privileged containers control the host',
  CapAdd: 'added capabilities',
  Devices: 'devices of the host',
  DeviceRequests: 'devices of the host',
  DeviceCgroupRules: 'devices of the host',
  VolumesFrom: 'volumes of other containers',
  Sysctls: 'kernel settings',
  Binds: 'bind strings (mounts are judged instead)',
  Links: 'links to other containers',
  Runtime: 'another runtime',
  CgroupParent: 'another control group',
  GroupAdd: 'additional groups',
  ExtraHosts: 'additional hosts'
} as const satisfies Partial<Record<keyof HostConfig, string>>

/** Members of a host configuration that nobody may set. */
export const FORBIDDEN_MEMBERS: readonly string[] = Object.keys(FORBIDDEN)

/** Namespaces that must not be the host's or another container's. */
const NAMESPACES = ['NetworkMode', 'PidMode', 'IpcMode', 'UTSMode', 'UsernsMode', 'CgroupnsMode'] as const

/** Security options that only take rights away. */
const HARMLESS_SECURITY = new Set(['no-new-privileges', 'no-new-privileges:true', 'no-new-privileges=true'])

/**
 * Judges the very object that is sent to the engine, whoever wrote it.
 * @returns Every denial; none means that the container may be made.
 */
export async function judge (spec: ContainerSpec, config: PolicyConfig): Promise<Denial[]> {
  const host: HostConfig = spec.HostConfig ?? {}
  const denials: Denial[] = []
  for (const [member, what] of Object.entries(FORBIDDEN)) {
    if (!isEmpty(host[member as keyof HostConfig])) denials.push({ rule: member, message: `${what} cannot be asked for` })
  }
  for (const member of NAMESPACES) denials.push(...judgeNamespace(member, (host as Record<string, unknown>)[member]))
  for (const option of host.SecurityOpt ?? []) {
    if (!HARMLESS_SECURITY.has(option)) denials.push({ rule: 'SecurityOpt', message: `the security option "${option}" cannot be asked for` })
  }
  for (const mount of host.Mounts ?? []) {
    if (mount.Type === 'bind') denials.push(...await judgeBind(mount.Source, config.volumeRoots))
    else if (mount.VolumeOptions?.DriverConfig !== undefined) denials.push({ rule: 'VolumeOptions', message: 'volume drivers and their options cannot be asked for, since they can bind host folders' })
  }
  return denials
}

/** @throws DockApiError `policy_denied` that names each rule and the setting that would allow it. */
export async function enforce (spec: ContainerSpec, config: PolicyConfig): Promise<void> {
  const denials = await judge(spec, config)
  if (denials.length === 0) return
  const settings = [...new Set(denials.flatMap(({ setting }) => setting ?? []))]
  throw new DockApiError('policy_denied', `Refused by policy: ${denials.map(({ message }) => message).join('; ')}.`, {
    details: { denials },
    ...(settings.length === 0 ? {} : { hint: `${settings.join(', ')} would allow it.` })
  })
}

function judgeNamespace (member: string, value: unknown): Denial[] {
  if (typeof value !== 'string') return []
  if (value !== 'host' && !value.startsWith('container:')) return []
  return [{ rule: member, message: `the namespace "${value}" of ${value === 'host' ? 'the host' : 'another container'} cannot be shared` }]
}

function isEmpty (value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
