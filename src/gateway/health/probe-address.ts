import type { Upstream } from '../../forward/upstream.ts'
import type { ActiveHealth } from '../../../schemas/services.ts'
import type { PoolMember } from '../pool-service.ts'
import type { Address } from '../routed-container.ts'

/** Where an upstream is probed: where it is dialled, or at another port of its container when the settings name one. */
export function probeAddress ({ container, port }: PoolMember, upstream: Upstream, health: ActiveHealth): Address {
  if (health.port === undefined || health.port === port) return { upstream }
  const address = container.addresses.get(health.port)
  if (address !== undefined) return address
  // Dialled at its own port, a container has its other ports at the same host; a published port stands for itself only.
  if (upstream.port === port) return { upstream: { ...upstream, port: health.port } }
  return { problem: `Port ${health.port} of the container cannot be reached from here: publish it, or expose it in the image.` }
}
