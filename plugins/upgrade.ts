import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { acceptUpgrades } from '../src/forward/upgrades.ts'

/** An upgrade request runs through the router like every other one, all hooks included, so that what guards the API guards upgrades too. */
async function upgrade (app: FastifyInstance) {
  acceptUpgrades(app.server, (request, response) => { app.routing(request, response) })
}

export default fp(upgrade, { name: 'upgrade', fastify: '5.x' })
