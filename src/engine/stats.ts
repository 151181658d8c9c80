import type { Readable } from 'node:stream'
import { Type } from '@sinclair/typebox'
import type { Static } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { DockApiError } from '../errors.ts'
import type { CallOptions, Engine } from './engine.ts'
import { createJsonLines } from './json-lines.ts'

const Counter = Type.Optional(Type.Number())
const CpuSchema = Type.Object({ cpu_usage: Type.Object({ total_usage: Counter, percpu_usage: Type.Optional(Type.Union([Type.Array(Type.Number()), Type.Null()])) }), system_cpu_usage: Counter, online_cpus: Counter })

/** What is read of the engine's document of resource use (Docker API, `ContainerStats`), of cgroup v1 and v2 alike. */
const SampleSchema = Type.Object({
  read: Type.String(),
  cpu_stats: CpuSchema,
  memory_stats: Type.Optional(Type.Object({ usage: Counter, limit: Counter, stats: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Number()), Type.Null()])) })),
  networks: Type.Optional(Type.Record(Type.String(), Type.Object({ rx_bytes: Type.Number(), tx_bytes: Type.Number() }))),
  blkio_stats: Type.Optional(Type.Object({ io_service_bytes_recursive: Type.Optional(Type.Union([Type.Array(Type.Object({ op: Type.String(), value: Type.Number() })), Type.Null()])) })),
  pids_stats: Type.Optional(Type.Object({ current: Counter, limit: Counter }))
})
export type Sample = Static<typeof SampleSchema>

/**
 * One look at the counters, at once; engines before API 1.41 take a second or two. Undefined when the container ends as it is looked at: the answer is
 * 200 without a body then (seen on 20.10).
 */
export async function sampleStats (engine: Engine, id: string, options?: CallOptions): Promise<Sample | undefined> {
  const query = { stream: false, 'one-shot': true } as const
  const answer: unknown = await engine.call('containers.stats', (docker, abortSignal) => docker.getContainer(id).stats(Object.assign({ abortSignal }, query)), { notFound: 'container_not_found', ...options })
  return Buffer.isBuffer(answer) && answer.length === 0 ? undefined : parseSample(answer)
}

/** A sample each second. Goes on when the container has ended. */
export async function openStats (engine: Engine, id: string, options?: CallOptions): Promise<AsyncGenerator<Sample>> {
  const stream = await engine.open('containers.stats', (docker, abortSignal) => docker.getContainer(id).stats(Object.assign({ abortSignal }, { stream: true } as const)), { notFound: 'container_not_found', ...options })
  return read(stream as Readable)
}

async function * read (stream: Readable): AsyncGenerator<Sample> {
  const lines = createJsonLines()
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (const document of lines.push(chunk)) yield parseSample(document)
  }
}

function parseSample (document: unknown): Sample {
  if (Value.Check(SampleSchema, document)) return document
  throw new DockApiError('engine_error', 'The engine told the use of resources in a way that is not understood.')
}

export type ProcessTable = { Titles: string[], Processes: string[][] | null }

/** The processes of a running container, as `ps` of the engine's machine sees them. */
export async function listProcesses (engine: Engine, id: string, options?: CallOptions): Promise<ProcessTable> {
  return await engine.call('containers.top', (docker, abortSignal) => docker.getContainer(id).top({ abortSignal }), { notFound: 'container_not_found', ...options }) as ProcessTable
}

export type FileChange = { Path: string, Kind: number }

/** What differs from the image in the container's file system. */
export async function listChanges (engine: Engine, id: string, options?: CallOptions): Promise<FileChange[]> {
  return await engine.call('containers.changes', (docker, abortSignal) => docker.getContainer(id).changes({ abortSignal }), { timeoutMs: 60_000, notFound: 'container_not_found', ...options }) as FileChange[] | null ?? []
}
