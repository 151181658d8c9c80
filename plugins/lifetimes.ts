import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { unasked } from '../src/audit/unasked.ts'
import { removeExpired } from '../src/containers/lifetimes.ts'
import { nameOf } from '../src/containers/lookup.ts'
import type { ContainerSummary } from '../src/engine/containers.ts'
import { isDockApiError } from '../src/errors.ts'

/** How exactly a lifetime is kept, in milliseconds. */
const SWEEP_MS = 5_000

/** While the server listens, containers go when their time is over; what went over while it was down goes at the start. */
async function lifetimes (app: FastifyInstance, { sweepMs = SWEEP_MS }: { sweepMs?: number }) {
  const closing = new AbortController()
  let sweeping: Promise<void> | undefined

  function tell ({ Id: id, Names: names, Image: image }: ContainerSummary, error: unknown) {
    const result = error === undefined ? 'ok' : isDockApiError(error) ? error.code : 'internal_error'
    app.audit.record(unasked({ principal: 'dockapi', operation: 'expireContainer', container_id: id, container: nameOf(names), image, result }))
  }

  async function sweep () {
    while (!closing.signal.aborted) {
      try {
        const count = await removeExpired(app.containers, { end: (id, remove) => app.gateway.drain(id, remove), onEnd: tell, signal: closing.signal })
        if (count > 0) app.log.info({ count }, 'containers removed at the end of their lifetime')
      } catch (err) {
        if (!closing.signal.aborted) app.log.debug({ err }, 'lifetimes could not be looked after')
      }
      await delay(sweepMs, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  }

  app.addHook('onListen', async () => { sweeping = sweep() })
  app.addHook('preClose', async () => { closing.abort() })
  app.addHook('onClose', async () => { await sweeping })
}

export default fp(lifetimes, { name: 'lifetimes', fastify: '5.x', dependencies: ['audit', 'containers', 'gateway'] })
