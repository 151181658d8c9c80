import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import { createChaosSocket } from '../test/support/chaos-socket.ts'
import { TEST_LABELS, TEST_RUN, busyboxImage, engineFromEnvironment, removeTestResources } from '../test/support/engine.ts'
import { until } from '../test/support/until.ts'
import { createCleanup, listenGatewayApp, percentile } from './support/gateway-app.ts'
import { oneGet } from './support/one-get.ts'

/**
 * What container events cost among many containers: engine calls for each, and requests that are served meanwhile, beside quiet ones:
 * `node bench/churn.ts [CONTAINERS] [EVENTS_PER_SECOND]`. Exit code 1 when a request failed or an event took more than two calls of the engine.
 */
const [containers = 500, rate = 100] = process.argv.slice(2).map(Number)
const SETTLE_MS = 1_000
const ROUNDS = 5
const ROUND_MS = 3_000
const CLIENTS = 4
const CREATED_AT_ONCE = 8
const MAX_CALLS = 2
const PREFIX = `churn${process.pid}`
const HOST = `${PREFIX}-app.localhost`

const engine = engineFromEnvironment()
const cleanup = createCleanup()
const image = await busyboxImage(engine)
let failed = 0

try {
  await create('app', ['sh', '-c', 'mkdir -p /www && hostname > /www/index.html && exec httpd -f -p 80 -h /www'])
  await onEngine((docker) => docker.getContainer(`${PREFIX}-app`).start())
  for (let index = 1; index < containers; index += CREATED_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(CREATED_AT_ONCE, containers - index) }, (_, offset) => create(String(index + offset), ['sleep', '600'])))
  }
  const chaos = await createChaosSocket(cleanup.test)
  const { app, port } = await listenGatewayApp({ DOCKER_HOST: chaos.host })
  cleanup.test.after(() => app.close())
  await until(async () => (await oneGet(port, HOST)).status === 200)
  await countCalls(chaos)
  await compareUnderChurn(port)
  if (failed > 0) process.exitCode = 1
} finally {
  await cleanup.run()
  await removeTestResources(engine, TEST_RUN)
  await engine.close()
}

/** One container is renamed, started and stopped; a start and a stop are several events each, of which the most counts. */
async function countCalls (chaos: { requests: string[] }) {
  const one = (name: string) => onEngine((docker) => Promise.resolve(docker.getContainer(`${PREFIX}-${name}`)))
  const changes: Array<[string, number, () => Promise<unknown>]> = [
    ['rename', 1, () => rename(`${PREFIX}-1`, `${PREFIX}-1-renamed`)],
    ['start (network connect, start)', 2, async () => (await one('1-renamed')).start()],
    ['stop (kill, die, network disconnect, stop)', 4, async () => (await one('1-renamed')).stop({ t: 0 })],
    ['rename', 1, () => rename(`${PREFIX}-1-renamed`, `${PREFIX}-1`)]
  ]
  for (const [what, events, change] of changes) {
    const before = chaos.requests.length
    await change()
    await delay(SETTLE_MS)
    const calls = chaos.requests.slice(before).filter((line) => !line.includes('/_ping'))
    console.log(`${what}, among ${containers} containers: ${calls.length} engine calls`)
    if (calls.length > MAX_CALLS * events) process.exitCode = 1
  }
}

async function compareUnderChurn (port: number) {
  const quiet: number[] = []
  const busy: number[] = []
  let changes = 0
  for (let round = 0; round < ROUNDS; round++) {
    quiet.push(...await load(port, delay(ROUND_MS)))
    busy.push(...await load(port, churn().then((count) => { changes += count })))
  }
  for (const [what, times] of [['quiet', quiet], [`${(changes / ROUNDS / (ROUND_MS / 1000)).toFixed(0)} events a second`, busy]] as const) {
    console.log(`${what}: median ${percentile(times, 0.5).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(2)} ms, ${times.length} requests`)
  }
  console.log(`${failed} failed`)
}

/** Requests one after the other until the time is over; how long each took, in milliseconds. */
async function load (port: number, time: Promise<void>): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const times: number[] = []
  const over = new AbortController()
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!over.signal.aborted) {
      const startedAt = performance.now()
      const { status } = await oneGet(port, HOST, agent)
      times.push(performance.now() - startedAt)
      if (status !== 200) failed++
      await delay(1)
    }
  })
  await time
  over.abort()
  await Promise.all(clients)
  agent.destroy()
  return times
}

/** Renames containers to and fro at the rate, as far as the engine follows. */
async function churn (): Promise<number> {
  const startedAt = performance.now()
  const running = new Set<Promise<void>>()
  let count = 0
  for (let elapsed = 0; elapsed < ROUND_MS; elapsed = performance.now() - startedAt) {
    while (count < elapsed * rate / 1000) {
      const name = `${PREFIX}-${2 + count++ % (containers - 2)}`
      const change = rename(name, `${name}-renamed`).then(() => rename(`${name}-renamed`, name)).finally(() => { running.delete(change) })
      running.add(change)
      count++
    }
    await delay(5)
  }
  await Promise.all(running)
  return count
}

async function create (name: string, command: string[]) {
  await onEngine((docker) => docker.createContainer({
    Image: image, name: `${PREFIX}-${name}`, Cmd: command, Labels: { ...TEST_LABELS, 'dockapi.enable': 'true', 'dockapi.port': '80' }, HostConfig: { Init: true }
  }))
}

function rename (from: string, to: string): Promise<void> {
  return onEngine((docker) => docker.getContainer(from).rename({ name: to }))
}

function onEngine<T> (call: (docker: Docker) => Promise<T>): Promise<T> {
  return engine.call('bench', call, { timeoutMs: 60_000 })
}
