import { listenGatewayApp } from './gateway-app.ts'

/** The production gateway before one upstream, by a route of the API: `node gateway-server.ts UPSTREAM_PORT`. Needs an engine. Prints its port. */
const { app, port } = await listenGatewayApp()
app.gateway.settings.put('route', 'bench', { name: 'bench', rule: 'Host(`127.0.0.1`)', upstreams: [{ url: `http://127.0.0.1:${process.argv[2]}` }] }, 'bench')
while (!app.gateway.isCurrent) await new Promise((resolve) => { setTimeout(resolve, 50) })
console.log(port)
