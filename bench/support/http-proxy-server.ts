import type { AddressInfo } from 'node:net'
import httpProxy from '@fastify/http-proxy'
import Fastify from 'fastify'

/** `@fastify/http-proxy` alone before one upstream: `node http-proxy-server.ts UPSTREAM_PORT`. Prints its port. */
const app = Fastify()
await app.register(httpProxy, { upstream: `http://127.0.0.1:${process.argv[2]}`, prefix: '/proxy/web' })
await app.listen({ host: '127.0.0.1', port: 0 })
console.log((app.server.address() as AddressInfo).port)
