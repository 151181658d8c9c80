import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import type Docker from 'dockerode'
import type { CallOptions, Engine } from './engine.ts'
import { createJsonLines } from './json-lines.ts'

/** One line of a build, as the engine sends it. */
export type BuildLine = {
  stream?: string
  status?: string
  id?: string
  progressDetail?: { total?: number }
  error?: string
  errorDetail?: { message?: string }
  aux?: { ID?: string }
}

/** What is asked of the classic builder, which every engine has (Docker API, ImageBuild). No network mode: a step runs like any container. */
export type BuildParameters = {
  t?: string
  dockerfile?: string
  target?: string
  nocache?: boolean
  pull?: boolean
  buildargs?: Record<string, string>
  labels?: Record<string, string>
  /** Of each step, in bytes; `memswap` is both together. */
  memory: number
  memswap: number
  cpuperiod: number
  cpuquota: number
}

/**
 * Builds an image and yields what the engine says, as fast as it is taken. The engine answers when it has the whole context.
 * @param context A tar stream. `options.timeoutMs` covers the way to the first line, `options.signal` everything.
 */
export async function * buildLines (engine: Engine, context: Readable, parameters: BuildParameters, options: CallOptions & { signal: AbortSignal }): AsyncGenerator<BuildLine> {
  const query = { ...parameters, rm: true, forcerm: true } as unknown as Docker.ImageBuildOptions
  const stream = await engine.open('images.build', (docker, abortSignal) => docker.buildImage(context, { ...query, abortSignal }), options) as Readable
  addAbortSignal(options.signal, stream)
  const lines = createJsonLines()
  for await (const chunk of stream) {
    for (const line of lines.push(chunk as Buffer)) if (line !== undefined) yield line as BuildLine
  }
}
