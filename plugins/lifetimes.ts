import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { removeExpired } from '../src/containers/lifetimes.ts'

/** How exactly a lifetime is kept, in milliseconds. */
const SWEEP_MS = 5_000

/** While the server listens, containers go when their time is over; what went over while it was down goes at the start. */
async function lifetimes (app: FastifyInstance, { sweepMs = SWEEP_MS }: { sweepMs?: number }) {
  const closing = new AbortController()
  let sweeping: Promise<void> | undefined

  async function sweep () {
    while (!closing.signal.aborted) {
      try {
        const count = await removeExpired(app.containers, (id, remove) => app.gateway.drain(id, remove), closing.signal)
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

export default fp(lifetimes, { name: 'lifetimes', fastify: '5.x', dependencies: ['containers', 'gateway'] })
