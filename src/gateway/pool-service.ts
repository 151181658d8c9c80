import type { UpstreamState } from '../../schemas/routes.ts'
import type { ServiceSettings } from '../../schemas/services.ts'
import type { Address, RoutedContainer } from './routed-container.ts'

/** One port of one container, as a table has it. */
export type PoolMember = {
  /** Names it in every table: `<container id>:<port>`. */
  readonly key: string
  readonly container: Pick<RoutedContainer, 'id' | 'name' | 'status' | 'run' | 'addresses'>
  readonly port: number | null
  /** What the engine tells. */
  readonly state: UpstreamState
  readonly address: Address | undefined
  /** Its part beside the others'; 1 when left out, no request at all with 0. */
  readonly weight?: number | undefined
}

/** A pool of upstreams that serve the same, as a table has it; replaced, never changed. */
export type PoolService<M extends PoolMember = PoolMember> = {
  /** Names it in every table. */
  readonly key: string
  /** For people. */
  readonly name: string
  readonly members: readonly M[]
  readonly settings: ServiceSettings
}
