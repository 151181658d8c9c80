import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type Docker from 'dockerode'
import { createChaosSocket } from '../test/support/chaos-socket.ts'
import { TEST_LABELS, TEST_RUN, busyboxImage, engineFromEnvironment, removeTestResources } from '../test/support/engine.ts'
import { freePort } from '../test/support/free-port.ts'
import { until } from '../test/support/until.ts'
import { createCleanup, listenGatewayApp } from './support/gateway-app.ts'
import { oneGet } from './support/one-get.ts'

/**
 * No request may reach a container that took another's place: `node bench/misroute.ts [PAIRS] [events|no-events]`. Containers take turns at
 * the same host ports, each with a host of its own that is asked all the time; each answer carries its container's id. Exit code 1 when
 * one answer came from another container than the host's. With `no-events` the engine's event stream is cut as soon as it opens.
 */
const [pairs = 1_000, mode = 'events'] = [Number(process.argv[2] ?? 1_000), process.argv[3]]
const SLOTS = 4
const CLIENTS_PER_HOST = 2
/** Between two requests of one client, in milliseconds: the engine needs some of this machine too. */
const PAUSE_MS = 2

const engine = engineFromEnvironment()
const cleanup = createCleanup()
const image = await busyboxImage(engine)
const hosts = new Map<string, { id: string, host: string, right: number, none: number }>()
let foreign = 0
const over = new AbortController()

try {
  const env: Record<string, string> = {}
  if (mode === 'no-events') {
    const chaos = await createChaosSocket(cleanup.test)
    chaos.rule(/^GET \/events/, { kind: 'cut', afterBytes: 0 })
    env.DOCKER_HOST = chaos.host
  }
  const slots = await Promise.all(Array.from({ length: SLOTS }, async (_, slot) => {
    const port = await freePort()
    return await Promise.all(['a', 'b'].map((name) => create(`${name}${slot}-${process.pid}`, port)))
  }))
  const gateway = await listenGatewayApp(env)
  cleanup.test.after(() => gateway.app.close())
  for (const [first] of slots) await onEngine((docker) => docker.getContainer(first!).start())
  await until(() => gateway.app.gateway.routes().filter(({ upstreams }) => upstreams.some(({ state }) => state === 'up')).length >= SLOTS)
  await proveCheck(gateway.port, slots.map(([first]) => first!))

  const clients = [...hosts.values()].flatMap((entry) => Array.from({ length: CLIENTS_PER_HOST }, () => ask(gateway.port, entry)))
  const startedAt = performance.now()
  await Promise.all(slots.map((slot) => takeTurns(slot, Math.ceil(pairs / SLOTS))))
  over.abort()
  await Promise.all(clients)
  report((performance.now() - startedAt) / 1000)
} finally {
  over.abort()
  await cleanup.run()
  await removeTestResources(engine, TEST_RUN)
  await engine.close()
}

function onEngine<T> (call: (docker: Docker) => Promise<T>): Promise<T> {
  return engine.call('bench', call, { timeoutMs: 60_000 })
}

/** A container at a fixed port of the host that tells its id: httpd starts within milliseconds. */
async function create (name: string, port: number): Promise<string> {
  const { id } = await onEngine((docker) => docker.createContainer({
    Image: image,
    name,
    Cmd: ['sh', '-c', 'mkdir -p /www && hostname > /www/index.html && exec httpd -f -p 80 -h /www'],
    Labels: { ...TEST_LABELS, 'dockapi.enable': 'true' },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { Init: true, PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] } }
  }))
  hosts.set(id, { id, host: `${name}.localhost`, right: 0, none: 0 })
  return id
}

/** One ends, the other one starts at its port, at once; when it has answered it is its turn to end. */
async function takeTurns ([first, second]: string[], count: number) {
  let [running, next] = [first!, second!]
  for (let turn = 0; turn < count; turn++) {
    await onEngine((docker) => docker.getContainer(running).stop({ t: 0 }))
    await onEngine((docker) => docker.getContainer(next).start())
    const answered = hosts.get(next)!.right
    await until(() => hosts.get(next)!.right > answered);
    [running, next] = [next, running]
  }
}

async function ask (port: number, entry: { id: string, host: string, right: number, none: number }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!over.signal.aborted) {
    const { status, body } = await oneGet(port, entry.host, agent)
    if (status !== 200) entry.none++
    else if (entry.id.startsWith(body)) entry.right++
    else foreign++
    await delay(PAUSE_MS)
  }
  agent.destroy()
}

/** The check can fail: a host's answer is another id than a stranger's. */
async function proveCheck (port: number, ids: readonly string[]) {
  const agent = new Agent()
  for (const id of ids) await until(async () => (await oneGet(port, hosts.get(id)!.host, agent)).status === 200)
  const answers = await Promise.all(ids.map(async (id) => (await oneGet(port, hosts.get(id)!.host, agent)).body))
  for (const [index, id] of ids.entries()) {
    if (!id.startsWith(answers[index]!) || answers[index] === '' || id.startsWith(answers[(index + 1) % ids.length]!)) throw new Error(`The answers do not tell containers apart: ${answers.join(', ')}.`)
  }
}

function report (seconds: number) {
  const all = [...hosts.values()]
  const right = all.reduce((sum, entry) => sum + entry.right, 0)
  const none = all.reduce((sum, entry) => sum + entry.none, 0)
  console.log(`${Math.ceil(pairs / SLOTS) * SLOTS} stop/start pairs in ${seconds.toFixed(0)} s, ${mode ?? 'events'}: ${right} answers from the right container, ${none} answers that it is not there, ${foreign} from another container`)
  if (all.some((entry) => entry.right === 0)) throw new Error(`A host never answered, so nothing is proven: ${JSON.stringify(all)}`)
  if (foreign > 0) process.exitCode = 1
}
