import type { PoolMember, PoolService } from '../../src/gateway/pool-service.ts'
import type { ServiceSettings } from '../../schemas/services.ts'

/** A container of a pool that is up at 127.0.0.1. */
export function poolMember (id: string, given: Partial<PoolMember> & { run?: string, dialledPort?: number } = {}): PoolMember {
  const { run = 'first', dialledPort = 80, ...rest } = given
  const upstream = { containerId: id, scheme: 'http' as const, host: '127.0.0.1', port: dialledPort, reason: 'the test says so' }
  return {
    key: `${id}:80`,
    container: { id, name: `${id}-name`, status: 'running', run, addresses: new Map([[80, { upstream }]]) },
    port: 80,
    state: 'up',
    address: { upstream },
    ...rest
  }
}

export function poolService (members: readonly PoolMember[], settings: ServiceSettings = {}, key = 'shop'): PoolService {
  return { key, name: key, members, settings }
}

/** A repeatable source of numbers from 0 to below 1 (mulberry32). */
export function createRandom (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
