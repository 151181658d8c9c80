import type { AddressInfo } from 'node:net'
import { buildProxyApp } from '../../test/support/proxy-app.ts'

/** The proxied part of dockAPI before one upstream: `node proxy-server.ts UPSTREAM_PORT`. Prints its port. */
const upstream = { containerId: 'web'.padEnd(64, '0'), scheme: 'http' as const, host: '127.0.0.1', port: Number(process.argv[2]), reason: 'bench' }
const app = await buildProxyApp({ upstream: async () => upstream })
await app.listen({ host: '127.0.0.1', port: 0 })
console.log((app.server.address() as AddressInfo).port)
