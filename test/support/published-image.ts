import { randomBytes, randomUUID } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { importImage } from '../../scripts/images.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { TEST_LABEL, TEST_RUN } from './engine.ts'

export type PublishOptions = {
  layerBytes: number
  /** By which the engine should ask for the registry; its own address when left out. */
  name?: string
  auth?: { username: string, password: string }
}

/** Puts an image with a layer that no engine has into a registry. @returns Its name there. */
export async function publishRandomImage (engine: Engine, registry: string, { layerBytes, name = registry, auth = { username: '', password: '' } }: PublishOptions): Promise<string> {
  const path = `team/app-${randomUUID().slice(0, 8)}:1`
  const reference = `${registry}/${path}`
  await importImage(engine, reference, [{ path: 'random', content: randomBytes(layerBytes) }], [`LABEL ${TEST_LABEL}=${TEST_RUN}`])
  await engine.call('test.publish', async (docker, abortSignal) => {
    const output = await text(await docker.getImage(reference).push({ authconfig: { ...auth, serveraddress: registry }, abortSignal }))
    if (output.includes('errorDetail')) throw new Error(output)
    await docker.getImage(reference).remove({ abortSignal })
  }, { timeoutMs: 60_000 })
  return `${name}/${path}`
}
