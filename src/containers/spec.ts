import { invalidField } from '../errors.ts'
import { parseBytes } from '../config/bytes.ts'
import { definedOf } from '../defined.ts'
import type { Config } from '../config/schema.ts'
import type { ContainerSpec } from '../engine/containers.ts'
import { requiredDrops } from '../policy/limits.ts'
import type { RunRequest } from '../../schemas/run.ts'
import { commandWords } from './command.ts'
import { LABELS, RESERVED_PREFIX } from './labels.ts'
import { parseVolume } from './volumes.ts'

type HostConfig = NonNullable<ContainerSpec['HostConfig']>
type SpecConfig = Pick<Config, 'memory' | 'cpus' | 'pids' | 'publishHost' | 'network' | 'capDrop'>

const MINIMUM_MEMORY = 6 * 1024 ** 2
const NANOSECONDS = 1e9

/**
 * Writes the engine's create object for a run: only what the request can ask for; limits, dropped capabilities and `no-new-privileges` always.
 * @param containerPort The main port, from the request or the image; undefined for a container that serves nothing.
 * @throws DockApiError `invalid_request` or `invalid_volume` naming the field.
 */
export function buildSpec (request: RunRequest, reference: string, containerPort: number | undefined, config: SpecConfig): ContainerSpec {
  const bindings = portBindings(request, containerPort, config.publishHost)
  const network = request.network ?? config.network
  return {
    Image: reference,
    ...definedOf({
      Hostname: request.hostname,
      WorkingDir: request.workdir,
      User: request.user,
      StopTimeout: request.stop_timeout,
      Cmd: request.command === undefined ? undefined : commandWords(request.command, '/command'),
      Entrypoint: request.entrypoint === undefined ? undefined : commandWords(request.entrypoint, '/entrypoint'),
      Healthcheck: request.healthcheck === undefined ? undefined : healthcheck(request.healthcheck)
    }),
    Env: Object.entries(request.env ?? {}).map(([name, value]) => `${name}=${value}`),
    Labels: labelsOf(request, containerPort),
    ExposedPorts: Object.fromEntries(Object.keys(bindings).map((key) => [key, {}])),
    HostConfig: {
      PortBindings: bindings,
      Mounts: (request.volumes ?? []).map(parseVolume),
      Tmpfs: Object.fromEntries((request.tmpfs ?? []).map(splitTmpfs)),
      ...limits(request, config),
      AutoRemove: request.auto_remove ?? false,
      RestartPolicy: { Name: request.auto_remove === true ? 'no' : request.restart_policy ?? 'no' },
      SecurityOpt: ['no-new-privileges'],
      CapDrop: requiredDrops(config),
      ...definedOf({ NetworkMode: network, Init: request.init, ReadonlyRootfs: request.read_only })
    }
  }
}

/** Memory of a request in bytes. @throws DockApiError `invalid_request` below the engine's minimum of 6 MiB. */
export function memoryBytes (memory: number | string): number {
  const bytes = typeof memory === 'number' ? memory : parseBytes(memory)
  if (bytes === undefined || bytes < MINIMUM_MEMORY) throw invalidField('body', '/memory', `"${memory}" is below the minimum of 6m`)
  return bytes
}

/** The limits that a request asks for, or the defaults. Swap is not given beyond the memory limit. */
function limits (request: RunRequest, config: SpecConfig): Pick<HostConfig, 'Memory' | 'MemorySwap' | 'NanoCpus' | 'PidsLimit'> {
  const memory = request.memory === undefined ? config.memory : memoryBytes(request.memory)
  return { Memory: memory, MemorySwap: memory, NanoCpus: Math.round((request.cpus ?? config.cpus) * NANOSECONDS), PidsLimit: request.pids ?? config.pids }
}

function portBindings (request: RunRequest, containerPort: number | undefined, hostIp: string) {
  const bindings: Record<string, Array<{ HostIp: string, HostPort: string }>> = {}
  const ports = [
    ...(containerPort === undefined ? [] : [{ container_port: containerPort, host_port: request.host_port, protocol: 'tcp' }]),
    ...(request.ports ?? [])
  ]
  for (const [index, { container_port: port, host_port: hostPort, protocol = 'tcp' }] of ports.entries()) {
    const key = `${port}/${protocol}`
    if (bindings[key] !== undefined) throw invalidField('body', `/ports/${index - (containerPort === undefined ? 0 : 1)}`, `publishes ${key} a second time`)
    bindings[key] = [{ HostIp: hostIp, HostPort: hostPort === undefined || hostPort === 0 ? '' : String(hostPort) }]
  }
  return bindings
}

function labelsOf (request: RunRequest, containerPort: number | undefined): Record<string, string> {
  for (const name of Object.keys(request.labels ?? {})) {
    if (name.toLowerCase().startsWith(RESERVED_PREFIX)) throw invalidField('body', `/labels/${name}`, `begins with ${RESERVED_PREFIX}, which only dockAPI sets`, 'What the gateway is to do, labels of Traefik say (traefik.http.routers.web.rule), or PUT /routes/{route}/override.')
  }
  return {
    ...request.labels,
    [LABELS.managed]: 'true',
    ...(request.name === undefined ? {} : { [LABELS.name]: request.name }),
    ...(containerPort === undefined ? {} : { [LABELS.containerPort]: String(containerPort) })
  }
}

function healthcheck (check: NonNullable<RunRequest['healthcheck']>) {
  const nanoseconds = (seconds: number | undefined) => seconds === undefined ? undefined : Math.round(seconds * NANOSECONDS)
  return {
    Test: ['CMD', ...commandWords(check.command, '/healthcheck/command')],
    ...definedOf({ Interval: nanoseconds(check.interval), Timeout: nanoseconds(check.timeout), Retries: check.retries, StartPeriod: nanoseconds(check.start_period) })
  }
}

function splitTmpfs (entry: string): [string, string] {
  const separator = entry.indexOf(':')
  return separator < 0 ? [entry, ''] : [entry.slice(0, separator), entry.slice(separator + 1)]
}
