import Fastify from 'fastify'
import fp from 'fastify-plugin'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { SERVER_OPTIONS } from '../../src/app.ts'
import type { Containers } from '../../src/containers/containers.ts'
import { DockApiError } from '../../src/errors.ts'
import { createHttp1Transport } from '../../src/forward/http1-transport.ts'
import { TRANSPORT_DEFAULTS } from '../../src/forward/transport.ts'
import type { TransportSettings } from '../../src/forward/transport.ts'
import type { Upstream } from '../../src/forward/upstream.ts'
import { loadConfig } from '../../src/config/load.ts'
import errors from '../../plugins/errors.ts'
import forwarder from '../../plugins/forwarder.ts'
import guard from '../../plugins/guard.ts'
import store from '../../plugins/store.ts'
import tokens from '../../plugins/tokens.ts'
import upgrade from '../../plugins/upgrade.ts'
import proxy from '../../routes/proxy.ts'
import { createRawUpstream } from './raw-upstream.ts'
import type { Plan, RawUpstream } from './raw-upstream.ts'

export const TOKEN = 'a-token-of-the-tests-0123456789'
/** The names by which the tests call. */
const HOSTS = 'x,a,b,app.test,evil'

export type ProxyApp = {
  port: number
  app: Awaited<ReturnType<typeof buildProxyApp>>
  /** Makes a container known under this name; a problem code makes the lookup fail. */
  add (name: string, upstream: Partial<Upstream> | 'upstream_not_running' | 'no_port' | 'ambiguous_id'): void
}

/** The proxied part of the production app, with containers that are listeners on loopback. Closed when the test ends. */
export async function createProxyApp (t: Test, settings: Partial<TransportSettings> = {}): Promise<ProxyApp> {
  const known: Known = new Map()
  const app = await buildProxyApp(createContainers(known), { ...TRANSPORT_DEFAULTS, ...settings })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())
  return { port: (app.server.address() as AddressInfo).port, app, add: (name, upstream) => { known.set(name, upstream) } }
}

/** A proxied app with one container `web` that is a rawd. */
export async function createRig (t: Test, plan?: Plan, settings?: Partial<TransportSettings>): Promise<ProxyApp & { rawd: RawUpstream }> {
  const rawd = await createRawUpstream(plan)
  const proxied = await createProxyApp(t, settings)
  t.after(() => rawd.close())
  proxied.add('web', { port: rawd.port })
  return { ...proxied, rawd }
}

type Known = Map<string, Parameters<ProxyApp['add']>[1]>

function createContainers (known: Known): Pick<Containers, 'upstream'> {
  return {
    async upstream (reference, { port } = {}) {
      const found = known.get(port === undefined ? reference : `${reference}:${port}`)
      if (found === undefined) throw new DockApiError('container_not_found', `There is no container "${reference}".`)
      if (typeof found === 'string') throw new DockApiError(found, 'As the test wants it.')
      return { containerId: reference.padEnd(64, '0'), scheme: 'http', host: '127.0.0.1', port: 80, reason: 'the test says so', ...found }
    }
  }
}

/** Production options and plugins around a given lookup of containers. */
export async function buildProxyApp (containers: Pick<Containers, 'upstream'>, settings: TransportSettings = TRANSPORT_DEFAULTS) {
  const app = Fastify(SERVER_OPTIONS)
  await app.register(errors)
  const config = loadConfig({ env: { DOCKAPI_TOKEN: TOKEN, DOCKAPI_AUTH: 'off', DOCKAPI_ALLOWED_HOSTS: HOSTS } })
  await app.register(store, { dataDir: 'memory' })
  await app.register(tokens, { config })
  await app.register(guard, { config })
  await app.register(fp(async (instance) => { instance.decorate('containers', containers as Containers).decorateRequest('containers', { getter: () => containers as Containers }) }, { name: 'containers' }))
  await app.register(forwarder, { transport: createHttp1Transport(settings), graceMs: 500 })
  await app.register(upgrade)
  await app.register(proxy)
  return app
}
