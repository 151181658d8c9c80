import { join } from 'shlex'
import type { ContainerSpec } from '../engine/containers.ts'

type HostConfig = NonNullable<ContainerSpec['HostConfig']>
type Mount = NonNullable<HostConfig['Mounts']>[number]

/** What a run says beside the object that makes the container. */
export type RunContext = { name?: string | undefined, platform?: string | undefined, pull?: string | undefined, isDetached: boolean }

/**
 * The line with which the docker CLI makes the same container, quoted for a POSIX shell. The CLI can say a health command
 * only to a shell, and an entrypoint of several words only as one word and arguments.
 */
export function dockerRunLine (spec: ContainerSpec, { name, platform, pull, isDetached }: RunContext): string {
  const [entrypoint, ...rest] = [spec.Entrypoint ?? []].flat()
  const words = [
    'docker', 'run',
    ...isDetached ? ['-d'] : [],
    ...option('--name', name),
    ...option('--platform', platform),
    ...option('--pull', pull === 'missing' ? undefined : pull),
    ...ofContainer(spec),
    ...ofHost(spec.HostConfig ?? {}),
    ...ofHealth(spec.Healthcheck),
    ...option('--entrypoint', entrypoint),
    spec.Image ?? '',
    ...rest,
    ...spec.Cmd ?? []
  ]
  return join(words)
}

function ofContainer (spec: ContainerSpec): string[] {
  const published = Object.keys(spec.HostConfig?.PortBindings ?? {})
  return [
    ...option('--hostname', spec.Hostname),
    ...option('--user', spec.User),
    ...option('--workdir', spec.WorkingDir),
    ...option('--stop-timeout', spec.StopTimeout),
    ...(spec.Env ?? []).flatMap((variable) => option('--env', variable)),
    ...Object.entries(spec.Labels ?? {}).flatMap((label) => option('--label', label.join('='))),
    ...Object.keys(spec.ExposedPorts ?? {}).filter((port) => !published.includes(port)).flatMap((port) => option('--expose', port))
  ]
}

function ofHost (host: HostConfig): string[] {
  const bindings = Object.entries(host.PortBindings as Record<string, Array<{ HostIp?: string, HostPort?: string }>> | undefined ?? {})
  return [
    ...bindings.flatMap(([port, all]) => all.flatMap((binding) => option('--publish', published(port, binding)))),
    ...(host.Mounts ?? []).flatMap((mount) => option('--mount', mountOf(mount))),
    ...Object.entries(host.Tmpfs as Record<string, string> | undefined ?? {}).flatMap(([path, options]) => option('--tmpfs', options === '' ? path : `${path}:${options}`)),
    ...option('--memory', host.Memory),
    ...option('--memory-swap', host.MemorySwap),
    ...option('--cpus', host.NanoCpus === undefined ? undefined : host.NanoCpus / 1e9),
    ...option('--pids-limit', host.PidsLimit ?? undefined),
    ...(host.SecurityOpt as string[] | undefined ?? []).flatMap((security) => option('--security-opt', security)),
    ...(host.CapDrop as string[] | undefined ?? []).flatMap((capability) => option('--cap-drop', capability)),
    ...option('--network', host.NetworkMode),
    ...host.AutoRemove === true ? ['--rm'] : [],
    ...option('--restart', host.RestartPolicy?.Name === 'no' ? undefined : host.RestartPolicy?.Name),
    ...host.Init === undefined ? [] : [`--init=${host.Init}`],
    ...host.ReadonlyRootfs === true ? ['--read-only'] : []
  ]
}

function ofHealth (check: ContainerSpec['Healthcheck']): string[] {
  if (check === undefined) return []
  const [, ...command] = check.Test ?? []
  const time = (nanoseconds: number | undefined) => nanoseconds === undefined ? undefined : `${nanoseconds}ns`
  return [
    ...option('--health-cmd', join(command)),
    ...option('--health-interval', time(check.Interval)),
    ...option('--health-timeout', time(check.Timeout)),
    ...option('--health-start-period', time(check.StartPeriod)),
    ...option('--health-retries', check.Retries)
  ]
}

function option (name: string, value: string | number | undefined): string[] {
  return value === undefined || value === '' ? [] : [name, String(value)]
}

function published (port: string, { HostIp: address = '', HostPort: hostPort = '' }: { HostIp?: string, HostPort?: string }): string {
  return `${address.includes(':') ? `[${address}]` : address}:${hostPort}:${port}`
}

/** One field of comma-separated values each, as the CLI reads them (docker/cli opts/mount.go). */
function mountOf ({ Type: type, Source: source, Target: target, ReadOnly: isReadOnly, VolumeOptions: volume }: Mount): string {
  const labels = Object.entries(volume?.Labels ?? {}).map((label) => `volume-label=${label.join('=')}`)
  const fields = [`type=${type}`, `source=${source}`, `target=${target}`, ...isReadOnly === true ? ['readonly'] : [], ...labels]
  return fields.map((field) => /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field).join(',')
}
