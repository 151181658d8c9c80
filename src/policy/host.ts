import type { ContainerSpec } from '../engine/containers.ts'
import { denied } from './denial.ts'
import { flag, list, nothing, number, object, oneOf, optional, record, text } from './members.ts'
import type { Judge, Members } from './members.ts'
import { mounts } from './mounts.ts'
import { portBindings } from './ports.ts'

type HostConfig = NonNullable<ContainerSpec['HostConfig']>

/** What must be empty, false or not there at all. */
const FORBIDDEN = {
  Privileged: nothing('privileged containers, which control the host,'),
  CapAdd: nothing('added capabilities'),
  Devices: nothing('devices of the host'),
  DeviceRequests: nothing('devices of the host'),
  DeviceCgroupRules: nothing('devices of the host'),
  VolumesFrom: nothing('volumes of other containers'),
  VolumeDriver: nothing('another volume driver'),
  Sysctls: nothing('kernel settings'),
  Binds: nothing('bind strings (mounts are judged instead)'),
  Links: nothing('links to other containers'),
  Runtime: nothing('another runtime'),
  CgroupParent: nothing('another control group'),
  Cgroup: nothing('another control group'),
  GroupAdd: nothing('additional groups'),
  ExtraHosts: nothing('additional hosts'),
  OomScoreAdj: nothing('another place in the line of what goes when memory is short'),
  OomKillDisable: nothing('a container that stays when memory is short'),
  StorageOpt: nothing('storage options'),
  PublishAllPorts: nothing('ports that are not named'),
  Annotations: nothing('annotations for the runtime')
} as const satisfies Partial<Record<keyof HostConfig | 'Annotations', Judge>>

/** Members of a host configuration that nobody may set. */
export const FORBIDDEN_MEMBERS: readonly string[] = Object.keys(FORBIDDEN)

/** Security options that only take rights away. */
export const NO_NEW_PRIVILEGES: readonly string[] = ['no-new-privileges', 'no-new-privileges:true', 'no-new-privileges=true']

/** Names that every engine has, and that share nothing. */
const OWN_NETWORKS = new Set(['', 'default', 'bridge', 'none'])

/** A network of the engine: neither the host's, under whatever name or id, nor another container's (`container:…`), nor a file of the host (`ns:…`, Podman). */
export const network: Judge = async (value, rule, { networkDriver }) => {
  const isName = typeof value === 'string' && /^([a-zA-Z0-9][a-zA-Z0-9_.-]*)?$/.test(value) && value.toLowerCase() !== 'host'
  if (isName && (OWN_NETWORKS.has(value) || await networkDriver(value) !== 'host')) return []
  return denied(rule, `the network ${JSON.stringify(value)} is the host's or another container's, and cannot be shared`)
}

/** Logs stay on the engine's machine. */
const logConfig: Judge = object({ Type: oneOf('', 'json-file', 'local', 'journald', 'none'), Config: optional(record(text)) })

const restartPolicy: Judge = object({ Name: oneOf('', 'no', 'on-failure', 'always', 'unless-stopped'), MaximumRetryCount: number })

/** What may be changed of a container that is there. */
const CHANGES = {
  Memory: number,
  MemorySwap: number,
  NanoCpus: number,
  PidsLimit: optional(number),
  RestartPolicy: restartPolicy
} as const satisfies Members

export const changes: Judge = object(CHANGES)

export const hostConfig: Judge = object({
  ...FORBIDDEN,
  ...CHANGES,
  NetworkMode: network,
  PidMode: nothing('a process namespace of the host or of another container'),
  UTSMode: nothing('a name of the host'),
  UsernsMode: nothing('a user namespace of the host'),
  IpcMode: oneOf('', 'private', 'shareable', 'none'),
  CgroupnsMode: oneOf('', 'private'),
  SecurityOpt: optional(list(oneOf(...NO_NEW_PRIVILEGES))),
  CapDrop: optional(list(text)),
  PortBindings: portBindings,
  Mounts: optional(mounts),
  Tmpfs: optional(record(text)),
  LogConfig: logConfig,
  AutoRemove: flag,
  Init: optional(flag),
  ReadonlyRootfs: flag
})
