import type { PullLine } from '../engine/images.ts'
import type { PullProgress } from '../../schemas/images.ts'

type Layer = { downloaded: number, total: number | undefined, isDone: boolean }

/** Adds up what the engine tells of each layer. */
export type PullTally = {
  /** @returns The whole state after this line; undefined when the line is not about a layer. */
  note (line: PullLine): PullProgress | undefined
}

/** What the engine says of a layer that has all its bytes here; what follows is unpacking. */
const DOWNLOADED = new Set(['Verifying Checksum', 'Download complete', 'Extracting', 'Pull complete'])
const PRESENT = 'Already exists'

/**
 * Bytes are those that travel, compressed. A layer's size is known when its download begins, so that the total is not known
 * before the last one has begun. Layers that are here already count as layers and have no bytes to fetch.
 */
export function createPullTally (): PullTally {
  const layers = new Map<string, Layer>()

  function note ({ id, status, progressDetail }: PullLine) {
    if (id === undefined || status === undefined || status.startsWith('Pulling from')) return undefined
    const layer = layers.get(id) ?? { downloaded: 0, total: undefined, isDone: false }
    layers.set(id, layer)
    const { current, total } = progressDetail ?? {}
    if (total !== undefined && total > 0) layer.total = total
    if (status === 'Downloading') layer.downloaded = current ?? layer.downloaded
    if (DOWNLOADED.has(status)) layer.downloaded = layer.total ?? layer.downloaded
    if (status === PRESENT) layer.total = 0
    if (status === 'Pull complete' || status === PRESENT) {
      layer.isDone = true
      layer.total ??= layer.downloaded
    }
    return { layer: id, status, current: current ?? null, total: layer.total ?? null, ...sum([...layers.values()]) }
  }

  return { note }
}

function sum (layers: Layer[]) {
  const totals = layers.map(({ total }) => total)
  return {
    downloaded_bytes: layers.reduce((bytes, { downloaded }) => bytes + downloaded, 0),
    total_bytes: totals.includes(undefined) ? null : totals.reduce<number>((bytes, total) => bytes + total!, 0),
    layers_done: layers.filter(({ isDone }) => isDone).length,
    layers: layers.length
  }
}
