import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { heldUpgrade } from '../src/forward/held-upgrade.ts'
import { createSlots } from '../src/guard/slots.ts'
import type { SlotKind, SlotLimits } from '../src/guard/slots.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A request of this route lasts, and has a place among those of its kind until its answer or its WebSocket has ended. */
    holds?: SlotKind
  }
}

/** Bounds how many requests of a kind last at once, before anything is read or dialled for one more. */
async function slots (app: FastifyInstance, options: { limits: SlotLimits }) {
  const created = createSlots(options.limits)
  app.addHook('onRequest', async (request, reply) => {
    const { holds } = request.routeOptions.config
    if (holds === undefined || request.method === 'HEAD') return
    // An exchange ends with its answer, an upgraded connection with its socket.
    const carrier = heldUpgrade(request.raw)?.socket ?? reply.raw
    const free = created.take(holds, request.principal)
    if (carrier.destroyed) free()
    else carrier.once('close', free)
  })
}

export default fp(slots, { name: 'slots', fastify: '5.x', dependencies: ['errors', 'guard'] })
