/**
 * Commands through the API, and clients that leave in the middle of one: are all answers whole, and does anything stay behind?
 * `node bench/exec.ts [COMMANDS] [ABORTS]`. Needs an engine; leaves nothing behind.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { busyboxImage, engineFromEnvironment, removeTestResources, startTestContainer, TEST_RUN } from '../test/support/engine.ts'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config/load.ts'

const [commands = 1000, aborts = 500] = process.argv.slice(2).map(Number)
const CONCURRENCY = 20
const SETTLE_MS = 15_000

const engine = engineFromEnvironment()
const image = await busyboxImage(engine)
const app = await buildApp(loadConfig({ env: { ...process.env, DOCKAPI_PORT: '0', DOCKAPI_GATEWAY_PORT: 'off', DOCKAPI_DATA_DIR: 'memory' } }), { logger: false })
await app.listen({ host: '127.0.0.1', port: 0 })
const { id } = await startTestContainer(engine, { image, command: ['sleep', '3600'], labels: { 'dockapi.managed': 'true' } })
const path = `${app.listeningOrigin}/containers/${id}`
const daemon = findDaemon()
let isGood = true

try {
  await inParallel(CONCURRENCY, leave)
  const base = await settle({ app: Infinity, daemon: Infinity })
  console.log(`before: ${describe(base)}`)
  await runCommands()
  isGood &&= isBack('after the commands', await settle(base), base)
  await inParallel(aborts, leave)
  isGood &&= isBack('after the aborts  ', await settle(base), base)
  const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).split('\n').filter((line) => line === 'sleep 4321').length
  console.log(`processes left in the container: ${processes}; open streams: ${app.streams.open}`)
  isGood &&= processes === 0 && app.streams.open === 0
} finally {
  await removeTestResources(engine, TEST_RUN)
  await app.close()
  await engine.close()
}
process.exit(isGood ? 0 : 1)

async function runCommands () {
  const counts = { whole: 0, truncated: 0, withoutCode: 0, failed: 0 }
  const startMs = performance.now()
  await inParallel(commands, async (index) => {
    const response = await fetch(`${path}/exec`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command: ['echo', `hi ${index}`] }) })
    const body = await response.json() as { exit_code?: number, stdout?: string }
    if (response.status !== 200) counts.failed++
    else if (body.exit_code !== 0) counts.withoutCode++
    else if (body.stdout !== `hi ${index}\n`) counts.truncated++
    else counts.whole++
  })
  const perSecond = commands / (performance.now() - startMs) * 1000
  console.log(`${commands} commands, ${CONCURRENCY} at a time: ${counts.whole} whole, ${counts.truncated} truncated, ${counts.withoutCode} without exit code, ${counts.failed} failed; ${perSecond.toFixed(0)} a second`)
  isGood &&= counts.whole === commands
}

/** A third each: waits for JSON, reads events, has a WebSocket; then leaves without a word. */
async function leave (index: number) {
  const body = JSON.stringify({ command: ['sleep', '4321'] })
  if (index % 3 === 2) {
    const socket = new WebSocket(`${path.replace('http', 'ws')}/exec?command=sleep&command=4321`)
    await new Promise((resolve) => { socket.once('message', resolve) })
    socket.terminate()
    return
  }
  const leaving = new AbortController()
  const accept = index % 3 === 1 ? 'application/x-ndjson' : 'application/json'
  const request = fetch(`${path}/exec`, { method: 'POST', headers: { 'content-type': 'application/json', accept }, body, signal: leaving.signal })
  if (index % 3 === 1) await (await request).body!.getReader().read()
  else await sleep(100)
  leaving.abort()
  await request.catch(() => {})
}

async function inParallel (count: number, work: (index: number) => Promise<void>) {
  const queue = Array.from({ length: count }).keys()
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    for (const index of queue) await work(index)
  }))
}

type Counts = { app: number, daemon: number }

function findDaemon (): number | undefined {
  const address = process.env.DOCKER_HOST?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock'
  const line = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n').find((text) => /\bdockerd\b/.test(text) && text.includes(address) && !/\bps\b|\bsh -c\b/.test(text))
  return line === undefined ? undefined : Number.parseInt(line, 10)
}

function count (): Counts {
  const filesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length
  return { app: filesOf(process.pid), daemon: daemon === undefined ? NaN : filesOf(daemon) }
}

/** Waits until no more files are open than before, or nothing changes that any more. */
async function settle (base: Counts): Promise<Counts> {
  const deadline = performance.now() + SETTLE_MS
  let now = count()
  do {
    await sleep(500)
    now = count()
  } while ((now.app > base.app || now.daemon > base.daemon || app.streams.open > 0) && performance.now() < deadline)
  return now
}

function isBack (when: string, now: Counts, base: Counts): boolean {
  console.log(`${when}: ${describe(now)}`)
  return !(now.app > base.app + 5) && !(now.daemon > base.daemon + 5)
}

function describe ({ app: own, daemon: engineFiles }: Counts): string {
  return `${own} open files of dockAPI, ${engineFiles} of dockerd`
}
