import type { Instruments } from './instruments.ts'

/** Counts what is asked of the API. */
export type ApiMetrics = {
  begin (operation: string): void
  end (operation: string, status: number, seconds: number): void
}

const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 30]

export function createApiMetrics ({ counter, gauge, histogram }: Instruments): ApiMetrics {
  const requests = counter('dockapi_api_requests_total')
  const durations = histogram('dockapi_api_request_duration_seconds', SECONDS)
  const inFlight = gauge('dockapi_api_in_flight')

  return {
    begin (operation) { inFlight.inc({ operation }) },
    end (operation, status, seconds) {
      inFlight.dec({ operation })
      requests.inc({ operation, status: classOf(status) })
      durations.observe({ operation }, seconds)
    }
  }
}

function classOf (status: number): string {
  return `${Math.floor(status / 100)}xx`
}
