import { setTimeout as delay } from 'node:timers/promises'
import type { Containers } from '../containers/containers.ts'
import { nameOf } from '../containers/lookup.ts'
import { isRunning, usageOf } from '../containers/usage.ts'
import type { ContainerDocument } from '../engine/containers.ts'
import type { Engine } from '../engine/engine.ts'
import { openStats, sampleStats } from '../engine/stats.ts'
import type { Sample } from '../engine/stats.ts'
import { DockApiError, isDockApiError } from '../errors.ts'
import type { Stats } from '../../schemas/stats.ts'
import type { StreamSource } from './delivery.ts'

type Container = { id: string, name: string }

/** The time over which the use of the CPU is measured, in milliseconds. */
const INTERVAL_MS = 500
/** How many containers are asked about at once. */
const CONCURRENCY = 8

/** @throws DockApiError `container_not_running`. */
export async function readStats (engine: Engine, document: ContainerDocument, signal: AbortSignal): Promise<Stats> {
  const container = runningContainer(document)
  const [stats] = await measure(engine, [container], signal)
  if (stats === undefined) throw notRunning(container.name)
  return stats
}

/** Of every container in scope that runs: two short calls for each, a few at a time. What ends meanwhile is left out. */
export async function readAllStats (containers: Containers, signal: AbortSignal): Promise<Stats[]> {
  const running = await containers.list({ status: ['running'] }, signal)
  return measure(containers.engine, running.map(({ Id, Names }) => ({ id: Id, name: nameOf(Names) })), signal)
}

/**
 * Once a second until the container ends.
 * @throws DockApiError `container_not_running`.
 */
export async function openStatsEvents (engine: Engine, document: ContainerDocument, signal: AbortSignal): Promise<StreamSource> {
  const container = runningContainer(document)
  const samples = await openStats(engine, container.id, { signal })
  return follow()

  async function * follow (): StreamSource {
    let before: Sample | undefined
    for await (const sample of samples) {
      if (!isRunning(sample)) return 'container_ended'
      if (before !== undefined) yield [{ event: 'stats', data: usageOf(container, before, sample) }]
      before = sample
    }
    return 'container_removed'
  }
}

async function measure (engine: Engine, containers: Container[], signal: AbortSignal): Promise<Stats[]> {
  const before = await sampleAll(engine, containers, signal)
  await delay(INTERVAL_MS, undefined, { signal })
  const now = await sampleAll(engine, containers, signal)
  return containers.flatMap((container, index) => {
    const [first, last] = [before[index], now[index]]
    return first === undefined || last === undefined ? [] : [usageOf(container, first, last)]
  })
}

/** Undefined in the place of a container that is gone or does not run. */
async function sampleAll (engine: Engine, containers: Container[], signal: AbortSignal): Promise<Array<Sample | undefined>> {
  const samples: Array<Sample | undefined> = []
  const queue = containers.entries()
  async function work () {
    for (const [index, { id }] of queue) samples[index] = await sample(engine, id, signal)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  return samples
}

async function sample (engine: Engine, id: string, signal: AbortSignal): Promise<Sample | undefined> {
  try {
    const found = await sampleStats(engine, id, { signal })
    return found !== undefined && isRunning(found) ? found : undefined
  } catch (error) {
    if (isDockApiError(error, 'container_not_found')) return undefined
    throw error
  }
}

function runningContainer ({ Id: id, Name, State: state }: ContainerDocument): Container {
  const name = Name.slice(1)
  if (!state.Running) throw notRunning(name)
  return { id, name }
}

function notRunning (name: string): DockApiError {
  return new DockApiError('container_not_running', `The container "${name}" does not run, so it uses nothing.`)
}
