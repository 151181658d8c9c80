import { listenGatewayApp } from './gateway-app.ts'

/** The production gateway: `node gateway-server.ts [UPSTREAM_PORT]`, which answers at 127.0.0.1 by a route of the API. Needs an engine. Prints its port. */
const [upstreamPort] = process.argv.slice(2)
const { app, port } = await listenGatewayApp()
if (upstreamPort !== undefined) {
  app.gateway.settings.put('route', 'bench', { name: 'bench', rule: 'Host(`127.0.0.1`)', upstreams: [{ url: `http://127.0.0.1:${upstreamPort}` }] }, 'bench')
}
while (!app.gateway.isCurrent) await new Promise((resolve) => { setTimeout(resolve, 50) })
console.log(port)
