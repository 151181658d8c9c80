/** The API in a process of its own: says its port to the process that forked it, and on every message how many logs it follows on the engine. */
import type { AddressInfo } from 'node:net'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'

const app = await buildApp(loadConfig({ env: { ...process.env, DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: 'off', DOCKAPI_DATA_DIR: 'memory' } }), { logger: false })
await app.listen({ host: '127.0.0.1', port: 0 })
process.on('message', () => { process.send!(app.logs.open) })
process.once('disconnect', async () => {
  await app.close()
  process.exit()
})
process.send!((app.server.address() as AddressInfo).port)
