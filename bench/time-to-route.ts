import { Agent } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { App } from '../src/app.ts'
import { TEST_LABELS, TEST_RUN, busyboxImage, engineFromEnvironment, removeTestResources } from '../test/support/engine.ts'
import { until } from '../test/support/until.ts'
import { createCleanup, listenGatewayApp, percentile } from './support/gateway-app.ts'
import { oneGet } from './support/one-get.ts'

/**
 * From the engine's `start` event to the first 200 at the container's host, and from its `kill` event to the last request that `docker stop`
 * lets through, in milliseconds: `node bench/time-to-route.ts [CYCLES]`. The application is there as soon as its process is, and ignores the
 * signal for a second, so that requests that still come are answered and counted.
 */
const CYCLES = Number(process.argv[2] ?? 100)
const PAUSE_MS = 1
const POOL = `pool${process.pid}`
/** Tells its id; a stop has to kill it. */
const APPLICATION = ['sh', '-c', 'mkdir -p /www && hostname > /www/index.html && trap "" TERM && exec httpd -f -p 80 -h /www']

const engine = engineFromEnvironment()
const cleanup = createCleanup()
const image = await busyboxImage(engine)
const over = new AbortController()

try {
  const { app, port } = await listenGatewayApp()
  cleanup.test.after(() => app.close())
  const events = await followEvents()
  await until(() => app.gateway.isCurrent)
  report('start event to first 200', await timeStarts(port, events))
  report('kill event to the last request sent', await timeStops(app, port, events))
} finally {
  over.abort()
  await cleanup.run()
  await removeTestResources(engine, TEST_RUN)
  await engine.close()
}

/** The moment of the first event of each kind and container, on this process's clock: `docker stop` kills twice. */
async function followEvents (): Promise<Map<string, number>> {
  const moments = new Map<string, number>()
  const stream = await onEngine((docker) => docker.getEvents({ filters: { type: ['container'] } })) as NodeJS.ReadableStream & { destroy (): void }
  over.signal.addEventListener('abort', () => { stream.destroy() })
  stream.on('error', () => {})
  createInterface({ input: stream }).on('line', (line) => {
    const { Action, id } = JSON.parse(line) as { Action: string, id: string }
    const key = `${Action} ${id}`
    if (!moments.has(key)) moments.set(key, performance.now())
  })
  return moments
}

async function timeStarts (port: number, events: Map<string, number>): Promise<number[]> {
  const times: number[] = []
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const id = await create(`start${cycle}-${process.pid}`)
    const first = askUntil(port, `start${cycle}-${process.pid}.localhost`)
    await onEngine((docker) => docker.getContainer(id).start())
    times.push(await first - events.get(`start ${id}`)!)
    await onEngine((docker) => docker.getContainer(id).remove({ force: true }))
  }
  return times
}

async function askUntil (port: number, host: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while ((await oneGet(port, host, agent)).status !== 200) await delay(PAUSE_MS)
  agent.destroy()
  return performance.now()
}

/** Of two members one is stopped by turns; what it answers after its `kill` event was sent too late. */
async function timeStops (app: App, port: number, events: Map<string, number>): Promise<number[]> {
  const members = await Promise.all(['a', 'b'].map((name) => create(`${POOL}-${name}`, { 'dockapi.service': POOL, 'dockapi.rule': `Host(\`${POOL}.localhost\`)` })))
  for (const id of members) await onEngine((docker) => docker.getContainer(id).start())
  const areUp = () => members.every((id) => app.gateway.routes().some(({ upstreams }) => upstreams.some(({ container_id: containerId, state }) => containerId === id && state === 'up')))
  const lastSent = new Map<string, number>()
  const clients = Array.from({ length: 2 }, () => ask(port, lastSent))
  const times: number[] = []
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await until(areUp)
    const id = members[cycle % 2]!
    await until(() => lastSent.has(id.slice(0, 12)))
    await onEngine((docker) => docker.getContainer(id).stop({ t: 1 }))
    times.push(lastSent.get(id.slice(0, 12))! - events.get(`kill ${id}`)!)
    lastSent.delete(id.slice(0, 12))
    events.delete(`kill ${id}`)
    await onEngine((docker) => docker.getContainer(id).start())
  }
  over.abort()
  await Promise.all(clients)
  return times
}

async function ask (port: number, lastSent: Map<string, number>) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!over.signal.aborted) {
    const sentAt = performance.now()
    const { status, body } = await oneGet(port, `${POOL}.localhost`, agent)
    if (status === 200) lastSent.set(body, sentAt)
    await delay(PAUSE_MS)
  }
  agent.destroy()
}

async function create (name: string, labels: Record<string, string> = {}): Promise<string> {
  const { id } = await onEngine((docker) => docker.createContainer({
    Image: image, name, Cmd: APPLICATION, Labels: { ...TEST_LABELS, 'dockapi.enable': 'true', 'dockapi.port': '80', ...labels }
  }))
  return id
}

function onEngine<T> (call: (docker: Docker) => Promise<T>): Promise<T> {
  return engine.call('bench', call, { timeoutMs: 60_000 })
}

function report (what: string, times: readonly number[]) {
  console.log(`${what.padEnd(40)} median ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms, ${times.length} times`)
}
