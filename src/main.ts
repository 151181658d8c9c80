#!/usr/bin/env -S node --min-semi-space-size=16 --max-semi-space-size=32
import { buildApp } from './app.ts'
import { runCommandLine } from './cli/command-line.ts'
import { ConfigError, loadConfig } from './config/load.ts'
import type { Config } from './config/schema.ts'
import { loggerOptions } from './log/options.ts'
import { StoreError } from './store/store.ts'

/** How long a shutdown waits for requests in flight before it cuts them, in milliseconds. */
const GRACE_MS = 10_000
const SAME_SIGNAL_MS = 1_000

const exitCode = runCommandLine(process.argv.slice(2), { env: process.env, print: console.log, complain: console.error })
if (exitCode !== undefined) process.exit(exitCode)

const config = readConfig()
const app = await buildApp(config, { logger: loggerOptions(config, process.stdout.isTTY) }).catch(exitUnbuilt)

process.once('SIGTERM', stop)
process.once('SIGINT', stop)

await listenOrExit(app.listen({ host: config.host, port: config.port }), { host: config.host, port: config.port, prefix: 'DOCKAPI' })
await listenOrExit(app.gateway.listen(), { host: config.gatewayHost, port: config.gatewayPort, prefix: 'DOCKAPI_GATEWAY' })
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

type Listener = { host: string, port: number | 'off', prefix: 'DOCKAPI' | 'DOCKAPI_GATEWAY' }

async function listenOrExit (listening: Promise<unknown>, listener: Listener) {
  try {
    await listening
  } catch (error) {
    console.error(describeListenError(error as NodeJS.ErrnoException, listener))
    process.exit(1)
  }
}

function describeListenError (error: NodeJS.ErrnoException, { host, port, prefix }: Listener): string {
  if (error.code === 'EADDRINUSE') return `Port ${port} is taken on ${host}. Set ${prefix}_PORT to another port, or to 0 for any free one.`
  if (error.code === 'EACCES') return `This user may not listen on ${host}:${port}. Choose a port above 1023 with ${prefix}_PORT.`
  if (error.code === 'EADDRNOTAVAIL') return `${host} is no address of this machine. Set ${prefix}_HOST.`
  return `Cannot listen on ${host}:${port}: ${error.message}`
}

function printUrls () {
  const url = app.listeningOrigin
  const gateway = app.gateway.address ?? `off: ${app.gateway.offReason}`
  console.log(`\n  dockAPI ${url}\n  Try it  ${url}/docs\n  Health  ${url}/healthz\n  Gateway ${gateway}`)
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
