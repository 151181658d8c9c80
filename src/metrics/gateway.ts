import { BOUNDS_MS } from '../gateway/histogram.ts'
import type { GatewayMeasure, ServiceMeasure } from '../gateway/measure.ts'
import { visible } from '../visible.ts'
import type { Instruments } from './instruments.ts'

/** Takes over what the gateway counts by itself, when it is asked for: requests pay nothing for it. */
export type GatewayMetrics = {
  refused (code: string): void
  collect (measure: GatewayMeasure): void
}

/** Beyond these, services are told as one: a monitor keeps every name that it ever saw. */
const MOST_SERVICES = 1_000
const OTHERS = 'others'
const LATENCY_SECONDS = BOUNDS_MS.map((bound) => bound / 1_000)

export function createGatewayMetrics ({ counter, gauge, countedHistogram }: Instruments): GatewayMetrics {
  const refusals = counter('dockapi_gateway_refusals_total')
  const current = gauge('dockapi_gateway_current')
  const routes = gauge('dockapi_routes')
  const routesWithProblems = gauge('dockapi_routes_with_problems')
  const upstreams = gauge('dockapi_upstreams')
  const requests = counter('dockapi_gateway_requests_total')
  const failures = counter('dockapi_gateway_failures_total')
  const inFlight = gauge('dockapi_gateway_in_flight')
  const latencies = countedHistogram('dockapi_gateway_latency_seconds', LATENCY_SECONDS)

  function collect ({ isCurrent, routes: routeCount, routesWithProblems: problemCount, upstreams: states, services }: GatewayMeasure) {
    current.set(isCurrent ? 1 : 0)
    routes.set(routeCount)
    routesWithProblems.set(problemCount)
    for (const [state, count] of Object.entries(states)) upstreams.set({ state }, count)
    for (const metric of [requests, failures, inFlight, latencies]) metric.reset()
    services.forEach((service, index) => { tell(service, index < MOST_SERVICES ? visible(service.name) : OTHERS) })
  }

  /** Services of one name are told as one. */
  function tell ({ traffic: { statuses, failures: failed, in_flight: running, latencies: times } }: ServiceMeasure, service: string) {
    for (const [status, count] of Object.entries(statuses)) requests.inc({ service, status }, count)
    failures.inc({ service }, failed)
    inFlight.inc({ service }, running)
    if (times !== undefined) latencies.add({ service }, { ...times, sum: times.sumMs / 1_000 })
  }

  return { refused (code) { refusals.inc({ code }) }, collect }
}
