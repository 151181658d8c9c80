import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { HEALTHY_EXAMPLE, HealthSchema, LIVE_EXAMPLE, LiveSchema, ReadySchema, UNHEALTHY_EXAMPLE } from '../schemas/health.ts'
import { ref } from '../schemas/model.ts'
import { problems } from '../schemas/problem.ts'
import { NOBODY } from '../src/auth/principal.ts'

/** The documents of these routes are their own 503, so that a monitor reads one shape. */
const { 401: unauthorized, 403: forbidden, 429: tooMany, 500: failed } = problems()
const refusals = { 401: unauthorized, 403: forbidden, 429: tooMany, 500: failed }

const health: FastifyPluginAsyncTypebox = async (app) => {
  /** Where a token is needed, who has none learns whether, not what and where: versions and addresses are for attackers too. */
  function isStranger ({ principal, headers: { authorization }, socket }: FastifyRequest): boolean {
    return principal === NOBODY && app.guard.principalOf(authorization, socket.remoteAddress ?? '') === undefined
  }

  app.get('/healthz', {
    config: { public: true },
    schema: {
      operationId: 'getHealth',
      tags: ['Health'],
      summary: 'Does the engine answer?',
      description: 'Asks the engine and answers within two seconds, also when the engine hangs. `disabled` names what a socket proxy before it refuses. Without a token, where one is needed, only `ok` is told.',
      response: {
        200: { description: 'The engine answers.', content: { 'application/json': { schema: ref(HealthSchema), example: HEALTHY_EXAMPLE } } },
        503: { description: 'The engine does not answer: `error` says why, `hint` what to do.', content: { 'application/json': { schema: ref(HealthSchema), example: UNHEALTHY_EXAMPLE } } },
        ...refusals
      }
    }
  }, async (request, reply) => {
    const isKnown = !isStranger(request)
    const { ok, engine } = await app.engine.health()
    return reply.code(ok ? 200 : 503).header('cache-control', 'no-store').send({ ok, ...(isKnown ? { engine } : {}) })
  })

  app.get('/livez', {
    config: { public: true, rateLimit: false },
    schema: {
      operationId: 'getLiveness',
      tags: ['Health'],
      summary: 'Is the process alive?',
      description: 'Answers 200 while the process lives, whatever the engine does.',
      response: {
        200: { description: 'The process lives.', content: { 'application/json': { schema: ref(LiveSchema), example: LIVE_EXAMPLE } } },
        ...refusals
      }
    }
  }, async () => LIVE_EXAMPLE)

  app.get('/readyz', {
    config: { public: true },
    schema: {
      operationId: 'getReadiness',
      tags: ['Health'],
      summary: 'Can requests be served?',
      description: 'For load balancers: 200 when the engine answers and the gateway, where one runs, knows every container.',
      response: {
        200: { description: 'Requests can be served.', content: { 'application/json': { schema: ref(ReadySchema), example: LIVE_EXAMPLE } } },
        503: { description: 'Not now: `error` says why.', content: { 'application/json': { schema: ref(ReadySchema), example: { ok: false, error: UNHEALTHY_EXAMPLE.engine.error } } } },
        ...refusals
      }
    }
  }, async (request, reply) => {
    const isKnown = !isStranger(request)
    const { ok, engine: { error } } = await app.engine.health()
    const problem = ok && !app.gateway.isReady ? 'The gateway does not know every container yet.' : isKnown ? error : error && 'The engine does not answer.'
    const isReady = ok && app.gateway.isReady
    return reply.code(isReady ? 200 : 503).header('cache-control', 'no-store').send({ ok: isReady, ...(problem === undefined ? {} : { error: problem }) })
  })
}

export default health
