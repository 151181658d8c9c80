import { EventEmitter } from 'node:events'
import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import { loadConfig } from '../../src/config/load.ts'
import errors from '../../plugins/errors.ts'
import guard from '../../plugins/guard.ts'
import rateLimits from '../../plugins/rate-limits.ts'
import slots from '../../plugins/slots.ts'
import store from '../../plugins/store.ts'
import tokens from '../../plugins/tokens.ts'

type Hook = (request: object, reply: object) => Promise<void>

/** The production hooks that count requests and places, called by themselves: what they cost stands beside no HTTP. Each is proven to count. */
export async function captureHooks () {
  const config = loadConfig({ env: { DOCKAPI_RATE_LIMIT: '1000000000' } })
  const app = Fastify()
  await app.register(errors)
  await app.register(store, { dataDir: 'memory' })
  await app.register(tokens, { config })
  await app.register(guard, { config })
  const count = await capture(app, () => app.register(rateLimits, { perMinute: config.rateLimit, redisUrl: undefined }))
  const place = await capture(app, () => app.register(slots, { limits: { ...config, maxStreams: 1 } }))

  const principal = { name: 'bench', tokenId: 'bench' }
  const raw = new EventEmitter()
  const request = (configured: object) => ({ method: 'GET', raw: {}, principal, socket: { remoteAddress: '127.0.0.1' }, routeOptions: { config: configured } })
  const [plain, lasting] = [request({}), request({ holds: 'streams' })]
  const answered: Record<string, unknown> = {}
  const reply = { raw, headers: (headers: object) => Object.assign(answered, headers) }

  const countRequest = () => count(plain, reply)
  const passSlots = () => place(plain, reply)
  const takeSlot = async () => {
    await place(lasting, reply)
    raw.emit('close')
  }

  await countRequest()
  const before = Number(answered['ratelimit-remaining'])
  await countRequest()
  if (Number(answered['ratelimit-remaining']) !== before - 1) throw new Error('The rate limit does not count.')
  for (let round = 0; round < 3; round++) await takeSlot()
  await place(lasting, reply)
  if (await place(lasting, reply).then(() => true, () => false)) throw new Error('There is no end of places.')
  raw.emit('close')
  return { countRequest, passSlots, takeSlot, close: () => app.close() }
}

/** The last `onRequest` hook that a plugin adds. */
async function capture (app: FastifyInstance, register: () => PromiseLike<unknown>): Promise<Hook> {
  const original = app.addHook
  let captured: Hook | undefined
  app.addHook = ((name: string, hook: Hook) => {
    if (name === 'onRequest') captured = hook
    return original.call(app, name as 'onRequest', hook as never)
  }) as typeof app.addHook
  await register()
  app.addHook = original
  if (captured === undefined) throw new Error('The plugin adds no hook.')
  return captured
}
