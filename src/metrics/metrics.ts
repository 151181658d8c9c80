import { collectDefaultMetrics, Registry } from 'prom-client'
import type { EngineObserver } from '../engine/observer.ts'
import type { GatewayMeasure } from '../gateway/measure.ts'
import { createApiMetrics } from './api.ts'
import type { ApiMetrics } from './api.ts'
import { createEngineMetrics } from './engine.ts'
import { createGatewayMetrics } from './gateway.ts'
import type { GatewayMetrics } from './gateway.ts'
import { createInstruments } from './instruments.ts'

/** What is asked for its present value at each scrape. */
export type MetricSources = {
  version: string
  streamsOpen (): number
  tombstones (): number
  gateway (): GatewayMeasure
}

export type Metrics = {
  readonly api: ApiMetrics
  readonly engine: EngineObserver
  readonly gateway: Pick<GatewayMetrics, 'refused'>
  /** Prometheus' text format 0.0.4. */
  render (): Promise<string>
}

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

export function createMetrics ({ version, streamsOpen, tombstones, gateway: measure }: MetricSources): Metrics {
  const registry = new Registry()
  const instruments = createInstruments(registry)
  instruments.gauge('dockapi_build_info').set({ version, node: process.version }, 1)
  const streams = instruments.gauge('dockapi_streams_open')
  const graves = instruments.gauge('dockapi_tombstones')
  const api = createApiMetrics(instruments)
  const engine = createEngineMetrics(instruments)
  const gateway = createGatewayMetrics(instruments)
  let isWatchingProcess = false

  /** The event loop is watched from the first scrape on: who has no monitor pays nothing. */
  function watchProcess () {
    if (isWatchingProcess) return
    isWatchingProcess = true
    collectDefaultMetrics({ register: registry })
  }

  async function render () {
    watchProcess()
    streams.set(streamsOpen())
    graves.set(tombstones())
    gateway.collect(measure())
    return await registry.metrics()
  }

  return { api, engine, gateway, render }
}
