import { mainPortOf } from '../containers/address.ts'
import { tcpPortsOf } from '../containers/ports.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import { isDockApiError } from '../errors.ts'
import type { Upstream } from '../forward/upstream.ts'
import type { Declarations } from './labels/declarations.ts'
import { readDeclarations } from './labels/read.ts'
import { GROUPING_LABELS } from './names.ts'
import { stopSignalOf } from './signals.ts'
import type { UpstreamState } from '../../schemas/routes.ts'

/** Where a port of a container is reached, or why it is not. */
export type Address = { upstream: Upstream } | { problem: string, hint?: string | undefined }

/** What the gateway knows of a container; replaced, never changed. */
export type RoutedContainer = {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Names and addresses that are its own: what a URL in its labels may point at. */
  readonly ownNames: readonly string[]
  /** What its labels and environment ask of the gateway. */
  readonly declarations: Declarations
  readonly createdAt: string
  /** When its present or last run began: tells one run from the next. */
  readonly run: string
  /** The engine's state. */
  readonly status: string
  /** Of the HEALTHCHECK; undefined without one. */
  readonly health: string | undefined
  /** The signal that `docker stop` sends it; undefined for the engine's own choice. */
  readonly stopSignal: string | undefined
  /** The port that its name leads to; null when it exposes none. */
  readonly mainPort: number | null
  readonly ports: readonly number[]
  /** By port, of the container's own and of any that a route of the API names. */
  readonly addresses: Pick<ReadonlyMap<number | null, Address>, 'get'>
  /** The main port was seen open in this run. */
  readonly isOpen: boolean
  /** It is about to be stopped: no new requests in this run. */
  readonly isDraining: boolean
}

export type ResolveAddress = (document: ContainerDocument, port: number) => Upstream

/**
 * What of the engine's document matters for routing. What only time tells of a run, `isOpen` and `isDraining`, is false.
 * @param imageLabels The image's own: an image may say how it wants to be served, but not to which group of containers it belongs.
 */
export function describeContainer (document: ContainerDocument, imageLabels: Readonly<Record<string, string>>, resolve: ResolveAddress): RoutedContainer {
  const { Config: config, NetworkSettings: network, HostConfig: hostConfig, State: state } = document
  const name = document.Name.replace(/^\//, '')
  const labels = withoutGroups(config.Labels ?? {}, imageLabels)
  const declarations = readDeclarations({ name, labels, environment: config.Env ?? [] })
  const declaredPorts = declarations.services.flatMap(({ port, url }) => port ?? portOfUrl(url) ?? [])
  const mainPort = declarations.main.port ?? mainPortOf(document) ?? null
  const exposed = tcpPortsOf(new Set([config.ExposedPorts, network.Ports, hostConfig.PortBindings as object | undefined].flatMap((ports) => Object.keys(ports ?? {}))))
  const ports = [...new Set([...(mainPort === null ? [] : [mainPort]), ...exposed, ...declaredPorts])].sort((a, b) => a - b)
  return {
    id: document.Id,
    name,
    labels,
    ownNames: [name, ...Object.values(network.Networks ?? {}).flatMap(({ IPAddress: address, Aliases: aliases }) => [address, ...aliases ?? []]), 'localhost', '127.0.0.1'].filter((own) => own !== ''),
    declarations,
    createdAt: document.Created,
    run: state.StartedAt,
    status: state.Status,
    health: state.Health?.Status === 'none' ? undefined : state.Health?.Status,
    stopSignal: stopSignalOf(document),
    mainPort,
    ports,
    addresses: addressesOf(document, resolve),
    isOpen: false,
    isDraining: false
  }
}

function portOfUrl (text: string | undefined): number | undefined {
  const url = text === undefined ? null : URL.parse(text)
  return url === null ? undefined : Number(url.port || (url.protocol === 'https:' ? 443 : 80))
}

function withoutGroups (labels: Readonly<Record<string, string>>, imageLabels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name, value]) => !GROUPING_LABELS.includes(name) || imageLabels[name] !== value))
}

/** Each is looked for when it is asked for. */
function addressesOf (document: ContainerDocument, resolve: ResolveAddress): RoutedContainer['addresses'] {
  const known = new Map<number | null, Address>()
  return {
    get (port) {
      const address = known.get(port) ?? addressOf(document, port, resolve)
      known.set(port, address)
      return address
    }
  }
}

function addressOf (document: ContainerDocument, port: number | null, resolve: ResolveAddress): Address {
  if (port === null) return { problem: 'It exposes no TCP port. Give it one with EXPOSE in its image, or name it with the label dockapi.port.' }
  try {
    return { upstream: resolve(document, port) }
  } catch (error) {
    if (isDockApiError(error, 'upstream_failed') || isDockApiError(error, 'upstream_not_running')) return { problem: error.message, hint: error.hint }
    throw error
  }
}

/** Whether a port of a container can take a request now, and if not, what it waits for. */
export function stateOf (container: RoutedContainer, port: number | null): UpstreamState {
  const { status, health, isDraining, isOpen, addresses } = container
  if (status === 'paused') return 'paused'
  if (status !== 'running') return 'down'
  if (isDraining) return 'draining'
  const address = addresses.get(port)
  if (address === undefined || 'problem' in address) return 'unreachable'
  if (health === 'unhealthy' || health === 'starting') return health
  return health === 'healthy' || isOpen ? 'up' : 'opening'
}
