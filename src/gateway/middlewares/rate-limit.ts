import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { DockApiError } from '../../errors.ts'
import { createBuckets } from './buckets.ts'
import type { Pass } from './passage.ts'
import { sourceOf } from './source.ts'

export function createRateLimit (settings: NonNullable<Definition['rate_limit']>): Pass {
  const { average, period = 1, burst = 1 } = settings
  if (average === 0) return () => true
  const buckets = createBuckets({ perSecond: average / period, burst })
  return (passage) => {
    const waitSeconds = buckets.take(sourceOf(passage, settings))
    if (waitSeconds === 0) return true
    throw new DockApiError('too_many_requests', 'This route is asked more often than it allows.', { retryAfterSeconds: Math.ceil(waitSeconds) })
  }
}
