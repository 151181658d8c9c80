import { fileURLToPath } from 'node:url'
import type { Engine } from '../src/engine/engine.ts'
import { ensureBusyboxBase } from './base-images.ts'
import { Failure } from './failure.ts'
import { buildImage, listFolder } from './images.ts'
import type { Say } from './progress.ts'

/** Name of the demo's image, as it is written in `POST /containers/run`. */
export const DEMO_IMAGE = 'hello-dockapi'

const SOURCE = fileURLToPath(new URL('../examples/hello/', import.meta.url))

/** Builds `examples/hello` on the engine. No registry is asked where its base can be made from this machine's files. */
export async function buildDemoImage (engine: Engine, say: Say, signal: AbortSignal): Promise<string> {
  const base = await ensureBusyboxBase(engine, signal).catch((error: Error) => {
    throw new Failure(`The demo image needs an image with busybox to build on, and it could not be had: ${error.message}`,
      'Give the engine\'s machine a way to its registry, or load the image there: docker load < busybox.tar', error)
  })
  say(`building examples/hello on ${base}`)
  await buildImage(engine, `${DEMO_IMAGE}:latest`, await listFolder(SOURCE), { buildargs: { BASE: base }, signal })
  return DEMO_IMAGE
}
