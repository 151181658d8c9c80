import { fitsLabels } from '../auth/grant.ts'
import { restricted } from '../auth/permit.ts'
import type { ContainerSpec } from '../engine/containers.ts'
import { inspectVolume } from '../engine/volumes.ts'
import type { Containers } from './containers.ts'

/**
 * Keeps what a narrowed token runs away from the data of others: a volume must carry the labels that its containers carry, a new one gets
 * them, and folders of the host belong to nobody.
 * @throws DockApiError `token_restricted`.
 */
export async function keepToOwnVolumes ({ engine, grant }: Containers, spec: ContainerSpec, signal?: AbortSignal): Promise<void> {
  if (grant.labels === undefined) return
  for (const mount of spec.HostConfig?.Mounts ?? []) {
    if (mount.Type === 'bind') throw restricted(grant, 'is narrowed to some containers, and so mounts no folder of the host')
    if (mount.Type !== 'volume') continue
    const volume = await inspectVolume(engine, mount.Source, { signal })
    if (volume !== undefined && !fitsLabels(grant, volume.labels)) throw restricted(grant, `may not mount the volume "${mount.Source}"`)
    mount.VolumeOptions = { Labels: { ...grant.labels } } as NonNullable<typeof mount.VolumeOptions>
  }
}
