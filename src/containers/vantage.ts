import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { isLoopback } from '../config/loopback.ts'
import { isDockApiError } from '../errors.ts'
import { inspectContainer } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import type { Endpoint } from '../engine/endpoint.ts'

/** From where dockAPI looks at containers; it decides which of their addresses can be dialled. */
export type Vantage =
  | { kind: 'host', canReachContainerAddresses: boolean }
  | { kind: 'container', id: string, networkIds: string[] }
  | { kind: 'remote', engineHost: string }

/** Rootless engines and Docker Desktop keep container addresses in a network that the host does not see. */
const VIRTUAL_MACHINE = /\/run\/user\/|\/\.docker\/desktop\//

const CONTAINER_MARKS = ['/.dockerenv', '/run/.containerenv']

/**
 * Finds out where this process runs: in a container of the engine, on the engine's host, or on another machine.
 * One engine call inside a container, none elsewhere.
 */
export async function detectVantage (engine: Engine, signal?: AbortSignal): Promise<Vantage> {
  if (CONTAINER_MARKS.some((mark) => existsSync(mark))) {
    const own = await ownContainer(engine, signal)
    if (own !== undefined) return { kind: 'container', ...own }
  }
  const engineHost = remoteHostOf(engine.endpoint)
  if (engineHost !== undefined) return { kind: 'remote', engineHost }
  return { kind: 'host', canReachContainerAddresses: process.platform === 'linux' && !VIRTUAL_MACHINE.test(engine.endpoint.address) }
}

/** A container's host name is its short id unless it was given another; undefined when the engine knows no such container. */
async function ownContainer (engine: Engine, signal?: AbortSignal): Promise<{ id: string, networkIds: string[] } | undefined> {
  try {
    const { Id: id, NetworkSettings: { Networks: networks } } = await inspectContainer(engine, hostname(), { signal })
    return { id, networkIds: Object.values(networks ?? {}).map(({ NetworkID }) => NetworkID) }
  } catch (error) {
    if (isDockApiError(error, 'container_not_found')) return undefined
    throw error
  }
}

/** The host of a TCP or SSH engine that is not this machine. */
export function remoteHostOf (endpoint: Endpoint): string | undefined {
  return !('host' in endpoint) || isLoopback(endpoint.host) ? undefined : endpoint.host
}
