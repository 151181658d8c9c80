import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'

/** The production app, closed when the test ends. `env` is what the process would have been given. */
export async function createTestApp (t: Test, env: Record<string, string> = {}) {
  const config = loadConfig({ env: { ...pickEngine(), DOCKAPI_PORT: '0', ...env } })
  const app = await buildApp(config, { logger: false })
  t.after(() => app.close())
  return app
}

function pickEngine () {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('DOCKER_')))
}
