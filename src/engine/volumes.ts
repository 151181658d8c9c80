import { isDockApiError } from '../errors.ts'
import type { CallOptions, Engine } from './engine.ts'

export type VolumeDocument = { driver: string, labels: Record<string, string>, options: Record<string, string> }

/** What the engine knows of a volume; undefined when there is no such volume. */
export async function inspectVolume (engine: Engine, name: string, options?: CallOptions): Promise<VolumeDocument | undefined> {
  try {
    const volume = await engine.call('volumes.inspect', (docker, abortSignal) => docker.getVolume(name).inspect({ abortSignal }), { notFound: 'no_such_volume', ...options })
    // The engine says null where the types promise an object.
    return { driver: volume.Driver, labels: volume.Labels as Record<string, string> | null ?? {}, options: volume.Options ?? {} }
  } catch (error) {
    if (isDockApiError(error, 'no_such_volume')) return undefined
    throw error
  }
}
