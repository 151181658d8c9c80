import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import type { App } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { loggerOptions } from '../../src/log/options.ts'
import type { Log } from './log.ts'

/**
 * The production app, closed when the test ends, without a gateway unless `env` gives it a port. `env` is what the process would have been given.
 * @param log Gets the lines of its log; nothing is logged without.
 */
export async function createTestApp (t: Test, env: Record<string, string> = {}, log?: Log): Promise<App> {
  const config = loadConfig({ env: { ...engineVariables(), DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: 'off', DOCKAPI_DATA_DIR: 'memory', ...env } })
  const app = await buildApp(config, { logger: log === undefined ? false : { ...loggerOptions(config, false), stream: log } })
  t.after(() => app.close())
  return app
}

/** The same, listening on a free loopback port. @returns Its origin, such as `http://127.0.0.1:49152`. */
export async function listenTestApp (t: Test, env: Record<string, string> = {}, log?: Log): Promise<{ app: App, url: string }> {
  const app = await createTestApp(t, env, log)
  await app.listen({ host: '127.0.0.1', port: 0 })
  await app.gateway.listen()
  await app.filter.listen()
  return { app, url: app.listeningOrigin }
}

function engineVariables () {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DOCKER_')))
}
