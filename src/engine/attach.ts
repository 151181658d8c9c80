import { pipeline } from 'node:stream'
import type { Readable } from 'node:stream'
import type { CallOptions, Engine } from './engine.ts'
import { createFrameDecoder, createRawDecoder } from './frames.ts'

/** Connects to the outputs of a container that was made but not started, so that not a byte is missed. Ends when it exits. */
export async function openAttach (engine: Engine, container: { id: string, isTty: boolean }, options: CallOptions = {}): Promise<Readable> {
  const request = { stream: true, stdout: true, stderr: true, logs: false }
  const source = await engine.open('containers.attach', (docker, abortSignal) => docker.getContainer(container.id).attach({ ...request, abortSignal }),
    { notFound: 'container_not_found', ...options })
  return pipeline(source as unknown as Readable, container.isTty ? createRawDecoder() : createFrameDecoder(), () => {})
}
