import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { unasked } from '../src/audit/unasked.ts'
import type { Config } from '../src/config/schema.ts'
import { withinTime } from '../src/engine/deadline.ts'
import { createFilter } from '../src/filter/filter.ts'
import type { Filter } from '../src/filter/filter.ts'
import { statusOf } from './errors.ts'
import { GRACE_MS } from './shutdown.ts'

/** The only changes that pass: of one container, which the client named in whatever way. */
const CONTROL = /\/containers\/([^/]+)\/(\w+)$/

declare module 'fastify' {
  interface FastifyInstance { filter: Filter }
}

/** The filtered view of the engine, on a listener of its own. The process says when it listens, as with the app itself; it ends with the app. */
async function filter (app: FastifyInstance, { config }: { config: Config }) {
  const log = app.log.child({ plane: 'filter' })
  const created = createFilter({
    config,
    engine: app.engine,
    statusOf,
    onChange ({ path, status }) {
      const [, container = '', verb = ''] = CONTROL.exec(path) ?? []
      const result = status === undefined ? 'engine_timeout' : status < 400 ? 'ok' : 'engine_refused'
      app.audit.record(unasked({ principal: 'filter', operation: `${verb}Container`, container, result, status: status ?? null }))
    },
    onRefusal ({ cause, status, ...refusal }) {
      log[status === 500 ? 'error' : status > 500 ? 'warn' : 'info']({ status, ...refusal, err: cause }, 'request refused')
    }
  })
  app.decorate('filter', created)
  // The engine ends after this one: what runs may finish.
  app.addHook('preClose', async () => { created.close().catch((error: unknown) => { log.error(error) }) })
  app.addHook('onClose', async () => {
    await withinTime(created.close(), GRACE_MS)
    created.destroy()
  })
}

export default fp(filter, { name: 'filter', fastify: '5.x', dependencies: ['audit', 'engine', 'errors'] })
