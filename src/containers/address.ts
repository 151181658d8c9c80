import { DockApiError } from '../errors.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Upstream } from '../forward/upstream.ts'
import { chooseContainerPort, declaredTarget, tcpPortsOf } from './ports.ts'
import type { Vantage } from './vantage.ts'

export type AddressOptions = {
  /** A port of the container other than its main one. */
  port?: number | undefined
  vantage: Vantage
  /** DOCKAPI_NETWORK: the network that is tried first. */
  preferredNetwork?: string | undefined
}

type Place = { host: string, port: number, reason: string }

/**
 * The address at which a running container is reached, and why. A pure function of what the engine reports for that very
 * container; nothing of a request enters it. Order (ADR 0001): a network that dockAPI shares, when it runs in a container;
 * the published port; the container's own address, when dockAPI runs on the engine's Linux host; the host's network.
 * @throws DockApiError `upstream_not_running`, `no_port`, `upstream_failed` when nothing of it can be reached from here.
 */
export function resolveUpstream (document: ContainerDocument, { port, vantage, preferredNetwork }: AddressOptions): Upstream {
  refuseUnlessRunning(document)
  const { network = preferredNetwork, scheme = 'http' } = declaredTarget(document.Config.Labels ?? {})
  const containerPort = port ?? mainPortOf(document)
  if (containerPort === undefined) {
    throw new DockApiError('no_port', `The container "${nameOf(document)}" exposes no TCP port, so there is nothing to reach.`)
  }
  const place = sharedNetwork(document, containerPort, vantage, network) ??
    publishedPort(document, containerPort, vantage) ??
    ownAddress(document, containerPort, vantage, network) ??
    hostNetwork(document, containerPort, vantage)
  if (place === undefined) throw unreachable(document, containerPort, vantage, preferredNetwork)
  return { containerId: document.Id, scheme, ...place }
}

function refuseUnlessRunning (document: ContainerDocument): void {
  const { Status: status } = document.State
  if (status === 'running') return
  const hint = status === 'paused' ? 'Resume it with POST /containers/{id}/unpause.' : undefined
  const retryAfterSeconds = status === 'restarting' || status === 'paused' ? 1 : 5
  throw new DockApiError('upstream_not_running', `The container "${nameOf(document)}" is ${status}.`, {
    retryAfterSeconds, details: { container_id: document.Id, state: status }, ...(hint === undefined ? {} : { hint })
  })
}

/** The port that the proxy reaches when the caller names none. */
export function mainPortOf (document: ContainerDocument): number | undefined {
  const exposed = tcpPortsOf([...Object.keys(document.Config.ExposedPorts ?? {}), ...Object.keys(document.NetworkSettings.Ports ?? {})])
  return chooseContainerPort(document.Config.Labels ?? {}, exposed)
}

function sharedNetwork (document: ContainerDocument, port: number, vantage: Vantage, preferred: string | undefined): Place | undefined {
  if (vantage.kind !== 'container') return undefined
  const network = networksOf(document, preferred).find(({ id }) => vantage.networkIds.includes(id))
  return network && { host: network.address, port, reason: `shares the network "${network.name}" with dockAPI` }
}

function publishedPort (document: ContainerDocument, containerPort: number, vantage: Vantage): Place | undefined {
  if (vantage.kind === 'container') return undefined
  for (const { HostIp: hostIp, HostPort: hostPort } of document.NetworkSettings.Ports?.[`${containerPort}/tcp`] ?? []) {
    const host = publishedHost(hostIp, vantage)
    const port = Number(hostPort)
    if (host === undefined || !(port > 0)) continue
    return { host, port, reason: `port ${containerPort} is published at ${host}:${port}` }
  }
  return undefined
}

/** Where a publishing is dialled from here; a loopback address of another machine is not. */
function publishedHost (hostIp: string, vantage: Exclude<Vantage, { kind: 'container' }>): string | undefined {
  const isAny = hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::'
  if (vantage.kind === 'remote') return isAny ? vantage.engineHost : (isLoopback(hostIp) ? undefined : hostIp)
  return isAny ? (hostIp === '::' ? '::1' : '127.0.0.1') : hostIp
}

function ownAddress (document: ContainerDocument, port: number, vantage: Vantage, preferred: string | undefined): Place | undefined {
  if (vantage.kind !== 'host' || !vantage.canReachContainerAddresses) return undefined
  const [network] = networksOf(document, preferred)
  return network && { host: network.address, port, reason: `address in the network "${network.name}"; port ${port} is not published` }
}

function hostNetwork (document: ContainerDocument, port: number, vantage: Vantage): Place | undefined {
  if (document.HostConfig.NetworkMode !== 'host' || vantage.kind === 'container') return undefined
  const host = vantage.kind === 'remote' ? vantage.engineHost : '127.0.0.1'
  return { host, port, reason: 'the container uses the host\'s network' }
}

/** Networks with an address, the preferred first, then by name: the choice is the same every time. */
function networksOf (document: ContainerDocument, preferred: string | undefined) {
  const rank = (name: string) => name === preferred ? 0 : 1
  return Object.entries(document.NetworkSettings.Networks ?? {})
    .map(([name, network]) => ({ name, id: network.NetworkID, address: network.IPAddress || network.GlobalIPv6Address }))
    .filter(({ address }) => Boolean(address))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1))
}

function unreachable (document: ContainerDocument, port: number, vantage: Vantage, network: string | undefined) {
  const networks = Object.keys(document.NetworkSettings.Networks ?? {}).join(', ') || 'none'
  const why = vantage.kind === 'container'
    ? `it is on the networks ${networks}, and dockAPI's own container is on none of them`
    : `port ${port} is not published on an address that dockAPI can dial`
  const hint = vantage.kind === 'container'
    ? network === undefined
      ? 'Connect the container to a network of dockAPI (docker network connect), or run it with network set; DOCKAPI_NETWORK makes that the default.'
      : `Put the two on one network, now: docker network connect ${network} ${nameOf(document)}. For good: name the network "${network}" where the container is made.`
    : `Run it with container_port ${port}, so that the port is published.`
  return new DockApiError('upstream_failed', `The container "${nameOf(document)}" cannot be reached on port ${port}: ${why}.`, { hint, details: { container_id: document.Id } })
}

function isLoopback (address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}

function nameOf (document: ContainerDocument): string {
  return document.Name.replace(/^\//, '')
}
