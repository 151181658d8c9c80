import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { answerClientError, problemOf, statusOf } from '../../plugins/errors.ts'
import type { Middleware as Definition } from '../../schemas/middlewares.ts'
import type { DockApiError } from '../../src/errors.ts'
import { createForwarder } from '../../src/forward/forwarder.ts'
import { createHttp1Transport } from '../../src/forward/http1-transport.ts'
import { TRANSPORT_DEFAULTS } from '../../src/forward/transport.ts'
import type { Upstream } from '../../src/forward/upstream.ts'
import { createMiddlewareRegistry } from '../../src/gateway/middlewares/registry.ts'
import type { Middleware, MiddlewareRegistry } from '../../src/gateway/middlewares/registry.ts'
import { createGatewayServer } from '../../src/gateway/server.ts'
import { createRawUpstream } from './raw-upstream.ts'
import type { Plan, RawUpstream } from './raw-upstream.ts'

export type MiddlewareGateway = {
  port: number
  rawd: RawUpstream
  registry: MiddlewareRegistry
  /** What requests go through from now on. */
  use (...definitions: Definition[]): Middleware[]
  /** Failures that the gateway answered itself. */
  refusals: DockApiError[]
  /** Where requests claim to come from; the true peer when undefined. */
  clientAddress: string | undefined
  scheme: 'http' | 'https'
  /** The dockAPI token of the tests: `Bearer own`. */
  readonly ownToken: string
}

export type GatewayFakes = { auth?: (address: URL) => Upstream | Promise<Upstream> | undefined, services?: Record<string, Upstream>, timeoutMs?: number, clientTimeoutMs?: number, answerTimeoutMs?: number }

export function upstreamAt (port: number, containerId = 'c'): Upstream {
  return { containerId: containerId.padEnd(64, '0'), scheme: 'http', host: '127.0.0.1', port, reason: 'the test says so' }
}

/** The gateway's server, middlewares and forwarding before one rawd; closed when the test ends. */
export async function createMiddlewareGateway (t: Test, plan?: Plan, { auth, services = {}, timeoutMs = 10_000, clientTimeoutMs = 60_000, answerTimeoutMs = 60_000 }: GatewayFakes = {}): Promise<MiddlewareGateway> {
  const rawd = await createRawUpstream(plan)
  const forwarder = createForwarder({ graceMs: 200, transport: createHttp1Transport({ ...TRANSPORT_DEFAULTS, answerTimeoutMs }) })
  const registry = createMiddlewareRegistry({ resolveAuth: async (address) => auth?.(address), resolveService: async (name) => services[name], principalOf: () => undefined, statusOf }, { authTimeoutMs: timeoutMs, pageTimeoutMs: timeoutMs })
  let middlewares: Middleware[] = []
  const gateway: MiddlewareGateway = { port: 0, rawd, registry, use, refusals: [], clientAddress: undefined, scheme: 'http', ownToken: 'Bearer own' }
  const server = createGatewayServer({
    async serve (request, response) {
      const stripAuthorization = request.headers.authorization === gateway.ownToken
      const host = (request.headers.host ?? '').split(':')[0]!
      const parts = { request, response, clientAddress: gateway.clientAddress ?? request.socket.remoteAddress!, scheme: gateway.scheme, host, target: request.url!, stripAuthorization, isVisibleTo: () => true }
      await registry.through(middlewares, parts, (target, changes) => forwarder.forward(request, response, upstreamAt(rawd.port), { rawUrl: target, prefix: '', stripAuthorization, changes }))
    },
    describe: (error, { url = '/' }) => problemOf(error, url, 'request-id'),
    onClientError: answerClientError,
    onRefusal: (error) => { gateway.refusals.push(error) },
    clientTimeoutMs
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => { server.once('listening', resolve) })
  gateway.port = (server.address() as AddressInfo).port
  t.after(async () => {
    server.close()
    server.closeAllConnections()
    await Promise.all([forwarder.destroy(), registry.close(), rawd.close()])
  })
  return gateway

  function use (...definitions: Definition[]): Middleware[] {
    middlewares = definitions.map((definition, index) => registry.get(`m${index}`, definition))
    return middlewares
  }
}
