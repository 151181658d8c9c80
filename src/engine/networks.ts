import { isDockApiError } from '../errors.ts'
import type { CallOptions, Engine } from './engine.ts'

/** The driver of a network, by name, id or the beginning of its id; undefined when there is no such network. */
export async function networkDriver (engine: Engine, reference: string, options?: CallOptions): Promise<string | undefined> {
  try {
    const { Driver } = await engine.call('networks.inspect', (docker) => docker.getNetwork(reference).inspect(), { notFound: 'network_not_found', ...options })
    return Driver
  } catch (error) {
    if (isDockApiError(error, 'network_not_found')) return undefined
    throw error
  }
}
