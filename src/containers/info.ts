import type { ContainerInfo } from '../../schemas/containers.ts'
import type { ContainerDocument, ContainerSummary } from '../engine/containers.ts'
import { nameOf } from './lookup.ts'
import { chooseContainerPort, tcpPortsOf } from './ports.ts'

type PortInfo = ContainerInfo['ports'][number]

/** Go's zero time: the engine's way of saying never. */
const NEVER = '0001-01-01T00:00:00Z'

/**
 * A container from the engine's whole document.
 * @param baseUrl Origin of this API as the caller reaches it, such as `http://127.0.0.1:8000`; the URLs begin with it.
 * @param hostUrl Its URL at the gateway (`Gateway.urlFor`).
 */
export function infoOfDocument (document: ContainerDocument, baseUrl: string, hostUrl: string | null): ContainerInfo {
  const labels = document.Config.Labels ?? {}
  const published = document.NetworkSettings.Ports ?? {}
  const ports = Object.entries(published).flatMap(([key, bindings]) => portsOf(key, bindings))
  const exposed = tcpPortsOf([...Object.keys(document.Config.ExposedPorts ?? {}), ...Object.keys(published)])
  const { State: state } = document
  return assemble({
    id: document.Id,
    name: document.Name.replace(/^\//, ''),
    image: document.Config.Image,
    status: state.Status as ContainerInfo['status'],
    labels,
    ports,
    containerPort: chooseContainerPort(labels, exposed),
    createdAt: new Date(document.Created).toISOString(),
    startedAt: state.StartedAt === NEVER ? null : new Date(state.StartedAt).toISOString(),
    exitCode: state.Running || state.StartedAt === NEVER ? null : state.ExitCode,
    health: healthOf(state.Health?.Status),
    networks: Object.keys(document.NetworkSettings.Networks ?? {})
  }, baseUrl, hostUrl)
}

/** A container from an entry of the engine's list, which tells less: exit code and health are read from its status line. */
export function infoOfSummary (summary: ContainerSummary, baseUrl: string, hostUrl: string | null): ContainerInfo {
  const ports = distinct(summary.Ports.map((port): PortInfo => ({
    container_port: port.PrivatePort,
    protocol: port.Type as PortInfo['protocol'],
    host_ip: port.PublicPort === undefined ? null : port.IP,
    host_port: port.PublicPort ?? null
  })))
  const exposed = ports.filter(({ protocol }) => protocol === 'tcp').map((port) => port.container_port)
  const exit = /^Exited \((\d+)\)/.exec(summary.Status)
  return assemble({
    id: summary.Id,
    name: nameOf(summary.Names),
    image: summary.Image,
    status: summary.State as ContainerInfo['status'],
    labels: summary.Labels,
    ports,
    containerPort: chooseContainerPort(summary.Labels, exposed),
    createdAt: new Date(summary.Created * 1000).toISOString(),
    startedAt: null,
    exitCode: exit === null ? null : Number(exit[1]),
    health: healthOf(/\((?:health: )?(healthy|unhealthy|starting)\)/.exec(summary.Status)?.[1]),
    networks: Object.keys(summary.NetworkSettings?.Networks ?? {})
  }, baseUrl, hostUrl)
}

type Parts = {
  id: string
  name: string
  image: string
  status: ContainerInfo['status']
  labels: Record<string, string>
  ports: PortInfo[]
  containerPort: number | undefined
  createdAt: string
  startedAt: string | null
  exitCode: number | null
  health: ContainerInfo['health']
  networks: string[]
}

function assemble (parts: Parts, baseUrl: string, hostUrl: string | null): ContainerInfo {
  const main = parts.ports.find((port) => port.container_port === parts.containerPort && port.protocol === 'tcp' && port.host_port !== null)
  return {
    id: parts.id,
    name: parts.name,
    image: parts.image,
    status: parts.status,
    labels: parts.labels,
    host_port: main?.host_port ?? null,
    container_port: parts.containerPort ?? null,
    ports: parts.ports,
    created_at: parts.createdAt,
    started_at: parts.startedAt,
    exit_code: parts.exitCode,
    health: parts.health,
    networks: parts.networks,
    urls: {
      path: parts.containerPort === undefined ? null : `${baseUrl}/proxy/${parts.name}/`,
      host: hostUrl,
      direct: main === undefined ? null : `http://${reachable(main.host_ip!)}:${main.host_port}/`
    },
    warnings: []
  }
}

function portsOf (key: string, bindings: Array<{ HostIp: string, HostPort: string }> | null): PortInfo[] {
  const [port, protocol = 'tcp'] = key.split('/')
  const entry = { container_port: Number(port), protocol: protocol as PortInfo['protocol'] }
  if (bindings === null || bindings.length === 0) return [{ ...entry, host_ip: null, host_port: null }]
  return bindings.map(({ HostIp, HostPort }) => ({ ...entry, host_ip: HostIp, host_port: Number(HostPort) }))
}

function distinct (ports: PortInfo[]): PortInfo[] {
  return [...new Map(ports.map((port) => [JSON.stringify(port), port])).values()]
}

function healthOf (status: string | undefined): ContainerInfo['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : null
}

/** The address under which a published port is dialled on the engine's own machine: "all addresses" is none. */
export function reachable (hostIp: string): string {
  if (hostIp === '' || hostIp === '0.0.0.0') return '127.0.0.1'
  if (hostIp === '::') return '[::1]'
  return hostIp.includes(':') ? `[${hostIp}]` : hostIp
}
