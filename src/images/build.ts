import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { Config } from '../config/schema.ts'
import { definedOf } from '../defined.ts'
import { buildLines } from '../engine/build.ts'
import type { BuildLine, BuildParameters } from '../engine/build.ts'
import type { Engine } from '../engine/engine.ts'
import { meaningOf } from '../engine/sentences.ts'
import { DockApiError, invalidField, isDockApiError } from '../errors.ts'
import type { BuildQuery, BuildRequest, BuildResult } from '../../schemas/build.ts'
import { plainTar } from './plain-tar.ts'
import { formatReference, parseReference } from './reference.ts'

export type BuildOrder = { context: Readable, parameters: BuildParameters, image: string | null }

/** How long a build may take, the upload of its context included, in milliseconds. */
const BUILD_TIMEOUT_MS = 30 * 60_000
const MAX_CONTEXT_BYTES = 1024 ** 3
/** What the answer keeps of the log, in characters from its end. */
const KEPT_LOG = 64 * 1024
const CPU_PERIOD_US = 100_000
/** What the engine answers with 500, although the tar or `file` is wrong. */
const NO_DOCKERFILE = /^(Cannot locate specified Dockerfile|forbidden path outside the build context)/i

/** @throws DockApiError `invalid_request` on `name`. */
export function orderFromText ({ dockerfile, ...options }: BuildRequest, config: Limits): BuildOrder {
  const tar = pack()
  tar.entry({ name: 'Dockerfile' }, dockerfile)
  tar.finalize()
  return buildOrder(Readable.from(tar as AsyncIterable<Buffer>, { objectMode: false }), { ...options, file: 'Dockerfile' }, config, 'body')
}

/** @throws DockApiError `invalid_request` on the field of the query. */
export function orderFromTar (body: Readable, { build_arg: args = [], label = [], ...options }: BuildQuery, config: Limits): BuildOrder {
  const pairs = { build_args: readPairs(args, '/build_arg'), labels: readPairs(label, '/label') }
  return buildOrder(plainTar(body, MAX_CONTEXT_BYTES), { ...options, ...pairs }, config, 'query')
}

/**
 * Builds an image. `signal` ends the build and frees what it used.
 * @param onLog Told of each piece of the log; the build goes on when its promise resolves.
 * @throws DockApiError `build_failed` and `disk_full` with `step` and `log_tail`; `build_timeout`; for the base image, the codes of a pull.
 */
export async function buildImage (engine: Engine, { context, parameters, image }: BuildOrder, onLog: (text: string) => Promise<void>, signal: AbortSignal): Promise<BuildResult> {
  const late = AbortSignal.timeout(BUILD_TIMEOUT_MS)
  const ended = AbortSignal.any([signal, late])
  let id: string | undefined
  let step = ''
  let log = ''
  let broken: unknown
  context.once('error', (error) => { broken = error })
  try {
    for await (const line of buildLines(engine, context, parameters, { signal: ended, timeoutMs: BUILD_TIMEOUT_MS })) {
      const failure = line.errorDetail?.message ?? line.error
      if (failure !== undefined) throw failedStep(failure, step, log)
      id = line.aux?.ID ?? id
      const text = textOf(line)
      if (text === '') continue
      step = /^Step \d+\/\d+ : .*/.exec(text)?.[0] ?? step
      log = (log + text).slice(-KEPT_LOG)
      await onLog(text)
    }
    if (id === undefined) throw new DockApiError('engine_error', 'The engine ended the build without an image.')
    return { id, image, log }
  } catch (error) {
    // The connection to the engine fails too, after what it was given failed.
    if (broken instanceof DockApiError) throw broken
    if (late.aborted && !signal.aborted) throw new DockApiError('build_timeout', `The build took longer than ${BUILD_TIMEOUT_MS / 60_000} minutes.`, { details: { step, log_tail: log }, cause: error })
    // What the engine refuses before the first step is the Dockerfile.
    if (isDockApiError(error, 'engine_refused')) throw failedStep(error.message, step, log)
    if (isDockApiError(error, 'engine_error') && NO_DOCKERFILE.test(error.message)) throw failedStep(error.message, step, log, 'Put a Dockerfile at the top of the tar, or say with file where in the tar it is.')
    throw error
  } finally {
    context.destroy()
  }
}

type Limits = Pick<Config, 'memory' | 'cpus'>
type BuildOptions = Omit<BuildRequest, 'dockerfile'> & { file?: string | undefined }

function buildOrder (context: Readable, options: BuildOptions, { memory, cpus }: Limits, where: 'body' | 'query'): BuildOrder {
  const image = options.name === undefined ? null : formatReference(parseReference(options.name, where, '/name'))
  if (image?.includes('@') === true) throw invalidField(where, '/name', 'has a digest, which comes from the content and cannot be given')
  const asked = definedOf({
    t: image ?? undefined, dockerfile: options.file, target: options.target, nocache: options.no_cache, pull: options.pull, buildargs: options.build_args, labels: options.labels
  })
  return { context, image, parameters: { ...asked, memory, memswap: memory, cpuperiod: CPU_PERIOD_US, cpuquota: Math.round(cpus * CPU_PERIOD_US) } }
}

function readPairs (pairs: string[], pointer: string): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 1) throw invalidField('query', pointer, `"${pair}" is not written as NAME=value`)
    return [pair.slice(0, equals), pair.slice(equals + 1)]
  }))
}

/** The lines of a base image's download without its progress. */
function textOf ({ stream, status, id, progressDetail }: BuildLine): string {
  if (stream !== undefined) return stream
  if (status === undefined || progressDetail?.total !== undefined) return ''
  return `${id === undefined ? '' : `${id}: `}${status}\n`
}

function failedStep (sentence: string, step: string, log: string, hint?: string): DockApiError {
  const pull = / : FROM /i.test(step) ? meaningOf(sentence, { isPull: true }) : undefined
  const full = meaningOf(sentence, { isPull: false }) === 'disk_full' ? 'disk_full' : undefined
  return new DockApiError(pull ?? full ?? 'build_failed', sentence, { details: { step: step === '' ? null : step, log_tail: log }, ...(hint === undefined ? {} : { hint }) })
}
