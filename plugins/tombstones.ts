import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { createTombstones } from '../src/lifecycle/tombstones.ts'
import type { Tombstones } from '../src/lifecycle/tombstones.ts'

declare module 'fastify' {
  interface FastifyInstance { tombstones: Tombstones }
}

const HOUR_MS = 3_600_000

async function tombstones (app: FastifyInstance, options: { keepHours: number }) {
  const created = createTombstones({
    engine: app.engine,
    store: app.store,
    keepMs: options.keepHours * HOUR_MS,
    onTombstone ({ id, name, labels, exit_code: exitCode, oom_killed: isOom }) {
      const attributes = { ...(exitCode === null ? {} : { exitCode: String(exitCode) }), oomKilled: String(isOom) }
      app.events.emit({ action: 'tombstoned', container: { id, name, labels }, attributes })
    },
    onFailure (error) { app.log.warn({ err: error }, 'the end of a container could not be noted') }
  })
  app.decorate('tombstones', created)
  app.addHook('onListen', async () => { created.start() })
  app.addHook('preClose', async () => { created.close() })
}

export default fp(tombstones, { name: 'tombstones', fastify: '5.x', dependencies: ['engine', 'store'] })
