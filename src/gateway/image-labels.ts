import type { Engine } from '../engine/engine.ts'
import { inspectImage } from '../engine/images.ts'
import { isDockApiError } from '../errors.ts'

type Labels = Readonly<Record<string, string>>

/** The labels that images bring along; asked once for each image. */
export type ImageLabels = { of (imageId: string): Promise<Labels> }

const NONE: Labels = {}
const KEPT = 1_000

/** An engine behind a proxy that tells nothing of images, or an image that is gone, gives none. */
export function createImageLabels (engine: Engine, signal: AbortSignal): ImageLabels {
  const known = new Map<string, Promise<Labels>>()

  async function ask (imageId: string): Promise<Labels> {
    const { Config: config } = await inspectImage(engine, imageId, { signal })
    return config?.Labels ?? NONE
  }

  function of (imageId: string): Promise<Labels> {
    const asked = known.get(imageId)
    if (asked !== undefined) return asked
    if (known.size >= KEPT) known.delete(known.keys().next().value!)
    const labels = ask(imageId).catch((error: unknown) => {
      if (!isDockApiError(error, 'feature_disabled')) known.delete(imageId)
      return NONE
    })
    known.set(imageId, labels)
    return labels
  }

  return { of }
}
