import type { EngineObserver } from '../engine/observer.ts'
import type { Instruments } from './instruments.ts'

const CALL_SECONDS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 10]
const LAG_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 60]

/** Counts what is asked of the engine, and what it tells. */
export function createEngineMetrics ({ counter, histogram }: Instruments): EngineObserver {
  const calls = counter('dockapi_engine_calls_total')
  const durations = histogram('dockapi_engine_call_duration_seconds', CALL_SECONDS)
  const lag = histogram('dockapi_event_lag_seconds', LAG_SECONDS)
  const openings = counter('dockapi_event_streams_opened_total')
  const losses = counter('dockapi_event_streams_lost_total')

  return {
    call (call, result, seconds) {
      calls.inc({ call, result })
      durations.observe({ call }, seconds)
    },
    // Clocks of two machines differ.
    event (lagSeconds) { lag.observe(Math.max(lagSeconds, 0)) },
    opened () { openings.inc() },
    lost () { losses.inc() }
  }
}
