import rateLimit from '@fastify/rate-limit'
import fp from 'fastify-plugin'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { callerOf } from '../src/auth/principal.ts'
import { DockApiError } from '../src/errors.ts'

type RateLimitOptions = {
  /** Requests of one caller in a minute; 0 is no limit. */
  perMinute: number
  /** Where several instances keep one count; each keeps its own when left out. */
  redisUrl: string | undefined
}

const WINDOW_MS = 60_000
/** Callers that are counted at most; the one that was quiet for longest is forgotten first. */
const MAX_CALLERS = 10_000
/** How long a request waits for Redis, in milliseconds; then it passes uncounted. */
const REDIS_TIMEOUT_MS = 250

/**
 * Bounds how often one caller asks, upgrades and unknown routes included, once it is known who that is. Requests to applications are not
 * counted: how often those may be asked is said where they are served (the middleware `rate_limit`). A route with `rateLimit: false` is not either.
 */
async function rateLimits (app: FastifyInstance, { perMinute, redisUrl }: RateLimitOptions) {
  if (perMinute === 0) return
  const redis = redisUrl === undefined ? undefined : connectRedis(redisUrl)
  const noteOutage = createOutageLog(redis, app.log)
  app.addHook('onClose', async () => { redis?.disconnect() })
  await app.register(rateLimit, {
    global: false,
    max: perMinute,
    timeWindow: WINDOW_MS,
    cache: MAX_CALLERS,
    skipOnError: true,
    nameSpace: 'dockapi-rate-limit-',
    keyGenerator: ({ principal, socket }) => callerOf(principal, socket.remoteAddress ?? ''),
    ...(redis === undefined ? {} : { redis })
  })
  const count = app.createRateLimit()

  app.addHook('onRequest', async (request, reply) => {
    const { proxied, rateLimit } = request.routeOptions.config
    if (proxied === true || rateLimit === false) return
    const state = await count(request)
    if (state.isAllowed) return
    // What was counted has used up one at least.
    const isCounted = state.remaining < state.max
    noteOutage(isCounted)
    if (!isCounted) return
    reply.headers({ 'ratelimit-limit': state.max, 'ratelimit-remaining': state.remaining, 'ratelimit-reset': state.ttlInSeconds })
    if (state.isExceeded) throw new DockApiError('too_many_requests', `More than ${perMinute} requests came within a minute (DOCKAPI_RATE_LIMIT).`, { retryAfterSeconds: Math.max(state.ttlInSeconds, 1) })
  })
}

/** Nothing waits for Redis: what it cannot take at once fails at once. */
function connectRedis (url: string): Redis {
  return new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: REDIS_TIMEOUT_MS, connectTimeout: 5_000 })
}

/** Says once that requests pass uncounted, and once that they no longer do. An error of Redis may hold its password: only the message is told. */
function createOutageLog (redis: Redis | undefined, log: FastifyBaseLogger): (isCounted: boolean) => void {
  let reason = 'It does not answer.'
  let isAway = false
  redis?.on('error', ({ message }: Error) => { reason = message })
  return (isCounted) => {
    if (isCounted === !isAway) return
    isAway = !isCounted
    if (isAway) log.warn({ reason }, 'Redis does not count: requests are not limited until it does')
    else log.info('Redis counts again: requests are limited')
  }
}

export default fp(rateLimits, { name: 'rate-limits', fastify: '5.x', dependencies: ['errors', 'guard'] })
