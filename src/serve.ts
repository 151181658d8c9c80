import { buildApp } from './app.ts'
import { ConfigError, loadConfig } from './config/load.ts'
import type { Config } from './config/schema.ts'
import { loggerOptions } from './log/options.ts'
import { StoreError } from './store/store.ts'

/** How long a shutdown waits for requests in flight before it cuts them, in milliseconds. */
const GRACE_MS = 10_000
const SAME_SIGNAL_MS = 1_000

const config = readConfig()
const app = await buildApp(config, { logger: loggerOptions(config, process.stdout.isTTY) }).catch(exitUnbuilt)

process.once('SIGTERM', stop)
process.once('SIGINT', stop)

await listenOrExit(app.listen({ host: config.host, port: config.port }), { at: `${config.host}:${config.port}`, host: 'DOCKAPI_HOST', port: 'DOCKAPI_PORT' })
await listenOrExit(app.gateway.listen(), { at: `${config.gatewayHost}:${config.gatewayPort}`, host: 'DOCKAPI_GATEWAY_HOST', port: 'DOCKAPI_GATEWAY_PORT' })
await listenOrExit(app.filter.listen(), { at: config.filter, host: 'DOCKAPI_FILTER', port: 'DOCKAPI_FILTER' })
printUrls()
await printEngine()

function readConfig (): Config {
  try {
    return loadConfig({ argv: process.argv.slice(2), env: process.env })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}

function exitUnbuilt (error: unknown): never {
  if (!(error instanceof StoreError || error instanceof ConfigError)) throw error
  console.error(error.message)
  process.exit(1)
}

/** Where it listens, and the settings that say so. */
type Listener = { at: string, host: string, port: string }

async function listenOrExit (listening: Promise<unknown>, listener: Listener) {
  try {
    await listening
  } catch (error) {
    console.error(describeListenError(error as NodeJS.ErrnoException, listener))
    process.exit(1)
  }
}

function describeListenError (error: NodeJS.ErrnoException, { at, host, port }: Listener): string {
  const [, address, number] = /^(.*):(\d+)$/.exec(at) ?? []
  if (error.code === 'EADDRINUSE') return `Port ${number} is taken on ${address}. Give ${port} another port, or 0 for any free one.`
  if (error.code === 'EACCES') return `This user may not listen on ${at}. Choose a port above 1023 with ${port}.`
  if (error.code === 'EADDRNOTAVAIL') return `${address} is no address of this machine. Set ${host}.`
  return `Cannot listen on ${at}: ${error.message}`
}

function printUrls () {
  const url = app.listeningOrigin
  const gateway = app.gateway.address ?? `off: ${app.gateway.offReason}`
  console.log(`\n  dockAPI ${url}\n  Try it  ${url}/docs\n  Health  ${url}/healthz\n  Gateway ${gateway}`)
  const { origin, warning } = app.filter
  if (origin !== undefined) console.log(`  Filter  ${origin}${warning === undefined ? '' : `\n          ${warning}`}`)
}

/** The server runs without an engine; its owner should not have to ask why nothing else does. */
async function printEngine () {
  const { ok, engine: { endpoint, version, error, hint } } = await app.engine.health()
  console.log(ok ? `  Engine  ${version ?? 'answers'} at ${endpoint}\n` : `  Engine  ${error}${hint === undefined ? '' : `\n          ${hint}`}\n`)
}

/** Finishes what runs; a second signal ends the process at once. npm passes on a Ctrl+C that the terminal has sent already: that is the same one. */
function stop (signal: NodeJS.Signals) {
  app.log.info({ signal }, 'shutting down')
  setTimeout(() => process.once(signal, () => process.exit(130)), SAME_SIGNAL_MS).unref()
  process.on(signal, () => {})
  const fail = (err: unknown) => {
    app.log.error({ err }, 'the shutdown was not orderly')
    process.exit(1)
  }
  const deadline = setTimeout(fail, GRACE_MS, new Error(`Not everything ended within ${GRACE_MS / 1000} seconds.`))
  app.close().then(() => { clearTimeout(deadline); process.exit(0) }, fail)
}
