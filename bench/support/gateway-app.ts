import type { Test } from 'tap'
import { buildApp } from '../../src/app.ts'
import type { App } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'

/** The production app with its gateway, both on free ports of 127.0.0.1, keeping nothing. */
export async function listenGatewayApp (env: Record<string, string> = {}): Promise<{ app: App, api: string, port: number }> {
  const config = loadConfig({ env: { ...process.env, DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_DATA_DIR: 'memory', ...env } })
  const app = await buildApp(config, { logger: false })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await app.gateway.listen()
  return { app, api: app.listeningOrigin, port: app.gateway.port! }
}

/** What the test rigs want of a test: somebody who calls back at the end. */
export function createCleanup (): { test: Test, run: () => Promise<void> } {
  const calls: Array<() => unknown> = []
  const test = { after: (call: () => unknown) => { calls.push(call) } } as unknown as Test
  return { test, async run () { for (const call of calls.reverse()) await call() } }
}

export function percentile (values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
}
