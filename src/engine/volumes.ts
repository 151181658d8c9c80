import { isDockApiError } from '../errors.ts'
import type { CallOptions, Engine } from './engine.ts'

/** The labels of a volume; undefined when there is no such volume. */
export async function volumeLabels (engine: Engine, name: string, options?: CallOptions): Promise<Record<string, string> | undefined> {
  try {
    const volume = await engine.call('volumes.inspect', (docker, abortSignal) => docker.getVolume(name).inspect({ abortSignal }), { notFound: 'no_such_volume', ...options })
    // The engine says null where the types promise an object.
    return volume.Labels as Record<string, string> | null ?? {}
  } catch (error) {
    if (isDockApiError(error, 'no_such_volume')) return undefined
    throw error
  }
}
