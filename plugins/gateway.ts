import type { AddressInfo } from 'node:net'
import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../src/config/schema.ts'
import { withinTime } from '../src/engine/deadline.ts'
import { createAccessLog } from '../src/gateway/access-log.ts'
import { createGateway } from '../src/gateway/gateway.ts'
import type { Gateway } from '../src/gateway/gateway.ts'
import { requestIdOf } from '../src/log/request-id.ts'
import { secretOf } from '../src/store/secrets.ts'
import { createSettingsTable } from '../src/store/settings.ts'
import { answerClientError, problemOf, statusOf } from './errors.ts'
import { GRACE_MS } from './shutdown.ts'

declare module 'fastify' {
  interface FastifyInstance { gateway: Gateway }
}

/** The second plane. The process says when it listens, as with the app itself; it ends with the app. */
async function gateway (app: FastifyInstance, { config }: { config: Config }) {
  const log = app.log.child({ plane: 'gateway' })
  const created = createGateway({
    config,
    containers: app.containers,
    forwarder: app.forwarder,
    settingsTable: createSettingsTable(app.store),
    secret: secretOf(app.store, 'sticky'),
    apiPorts: () => app.addresses().map((address) => (address as AddressInfo).port),
    isOwnToken: app.guard.isOwnToken,
    principalOf: app.guard.principalOf,
    statusOf,
    describe: (error, request) => problemOf(error, request.url ?? '/', requestIdOf(request)),
    onClientError: answerClientError,
    onRefusal (error, { status, request_id: reqId }) {
      const level = error.code === 'internal_error' ? 'error' : status >= 500 ? 'warn' : 'info'
      app.metrics.gateway.refused(error.code)
      log[level]({ code: error.code, detail: error.message, err: error.cause, reqId }, 'request refused')
    },
    accessLog: config.accessLog === 'on' ? createAccessLog((entry) => { log.info({ access: entry, reqId: entry.request_id }, `${entry.method} ${entry.host}${entry.path} ${entry.status}`) }) : undefined,
    onFileProblem (problem) { log.warn({ problem }, 'the middlewares file is not used as it is') },
    onContainer (action, { id, name, labels }) { app.events.emit({ action, container: { id, name, labels } }) }
  })
  app.decorate('gateway', created)
  app.addHook('preClose', async () => { created.close().catch((error: unknown) => { log.error(error) }) })
  // The forwarder and the engine end after this one: what runs may finish.
  app.addHook('onClose', async () => {
    await withinTime(created.close(), GRACE_MS)
    created.destroy()
  })
}

export default fp(gateway, { name: 'gateway', fastify: '5.x', dependencies: ['containers', 'forwarder', 'guard', 'metrics', 'store', 'streams'] })
