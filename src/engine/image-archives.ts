import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import type { CallOptions, Engine } from './engine.ts'
import { createJsonLines } from './json-lines.ts'
import type { Modem } from './modem.ts'

/** One line of a load, as the engine sends it. */
export type LoadLine = {
  stream?: string
  status?: string
  id?: string
  progressDetail?: { current?: number, total?: number }
  error?: string
  errorDetail?: { message?: string }
}

/** Packing begins once the engine has gathered the layers of all images. */
const OPEN_TIMEOUT_MS = 10 * 60_000

/** Images with their names as one tar, as `docker save` writes it. `options.signal` covers the whole stream. */
export async function openImages (engine: Engine, references: readonly string[], options: CallOptions & { signal: AbortSignal }): Promise<Readable> {
  const stream = await engine.open('images.save', (docker, abortSignal) => dialImages((docker as unknown as { modem: Modem }).modem, references, abortSignal), { timeoutMs: OPEN_TIMEOUT_MS, notFound: 'no_such_image', ...options })
  return addAbortSignal(options.signal, stream)
}

/** Loads images from a tar and yields what the engine says. `options.timeoutMs` covers the way to the first line, the upload included; `options.signal` everything. */
export async function * loadLines (engine: Engine, tar: Readable, options: CallOptions & { signal: AbortSignal }): AsyncGenerator<LoadLine> {
  const stream = await engine.open('images.load', (docker, abortSignal) => docker.loadImage(tar, { quiet: false, abortSignal } as object), options) as Readable
  addAbortSignal(options.signal, stream)
  const lines = createJsonLines()
  for await (const chunk of stream) {
    for (const line of lines.push(chunk as Buffer)) if (line !== undefined) yield line as LoadLine
  }
}

/** dockerode saves one image only. */
function dialImages (modem: Modem, names: readonly string[], abortSignal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    modem.dial({ path: '/images/get?', method: 'GET', options: { _query: { names } }, statusCodes: { 200: true }, isStream: true, abortSignal },
      (error, result) => { if (error === null) resolve(result as Readable); else reject(error) })
  })
}
