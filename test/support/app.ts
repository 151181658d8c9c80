import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import type { App } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'

/** The production app, closed when the test ends, without a gateway unless `env` gives it a port. `env` is what the process would have been given. */
export async function createTestApp (t: Test, env: Record<string, string> = {}): Promise<App> {
  const config = loadConfig({ env: { ...engineVariables(), DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: 'off', DOCKAPI_DATA_DIR: 'memory', ...env } })
  const app = await buildApp(config, { logger: false })
  t.after(() => app.close())
  return app
}

/** The same, listening on a free loopback port. @returns Its origin, such as `http://127.0.0.1:49152`. */
export async function listenTestApp (t: Test, env: Record<string, string> = {}): Promise<{ app: App, url: string }> {
  const app = await createTestApp(t, env)
  await app.listen({ host: '127.0.0.1', port: 0 })
  await app.gateway.listen()
  await app.filter.listen()
  return { app, url: app.listeningOrigin }
}

function engineVariables () {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DOCKER_')))
}
