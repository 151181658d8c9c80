import fp from 'fastify-plugin'
import type { FastifyInstance } from 'fastify'
import { openStore } from '../src/store/store.ts'
import type { Store } from '../src/store/store.ts'

declare module 'fastify' {
  interface FastifyInstance { store: Store }
}

/** Opened before everything that keeps something, closed after it. */
async function store (app: FastifyInstance, options: { dataDir: string }) {
  const opened = openStore(options.dataDir)
  app.decorate('store', opened)
  app.addHook('onClose', async () => { opened.close() })
}

export default fp(store, { name: 'store', fastify: '5.x' })
