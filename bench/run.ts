/**
 * `POST /containers/run` against create + start on the engine's own socket, and `GET /containers` against the engine's own
 * list: medians of interleaved rounds, as ratios. Needs an engine; leaves nothing behind.
 *
 *     node bench/run.ts [rounds]
 */
import { performance } from 'node:perf_hooks'
import { TEST_LABELS, TEST_RUN, busyboxImage, engineFromEnvironment, removeTestResources } from '../test/support/engine.ts'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config/load.ts'

const rounds = Number(process.argv[2] ?? 20)
const LISTED = 200

const engine = engineFromEnvironment()
const image = await busyboxImage(engine)
const app = await buildApp(loadConfig({ env: { ...process.env, DOCKAPI_PORT: '0', DOCKAPI_DATA_DIR: 'memory' } }), { logger: false })
await app.listen({ host: '127.0.0.1', port: 0 })
const api = app.listeningOrigin
const COMMAND = ['sleep', '300']

try {
  await compare('run / raw create + start', rounds, runThroughApi, runOnEngine)
  await fill()
  await compare(`list of ${LISTED} / raw list`, rounds * 5, listThroughApi, listOnEngine)
} finally {
  await removeTestResources(engine, TEST_RUN)
  await app.close()
  await engine.close()
}

/** Times both in turn, swaps the order every round, and prints the ratio of the medians. */
async function compare (what: string, count: number, ours: () => Promise<void>, raw: () => Promise<void>) {
  const times = { ours: [] as number[], raw: [] as number[] }
  for (const warmup of [ours, raw]) await warmup()
  for (let round = 0; round < count; round++) {
    for (const which of round % 2 === 0 ? ['ours', 'raw'] as const : ['raw', 'ours'] as const) {
      const startMs = performance.now()
      await (which === 'ours' ? ours() : raw())
      times[which].push(performance.now() - startMs)
    }
  }
  const [oursMs, rawMs] = [median(times.ours), median(times.raw)]
  console.log(`${what}: ${(oursMs / rawMs).toFixed(2)} x (${oursMs.toFixed(1)} ms / ${rawMs.toFixed(1)} ms, median of ${count})`)
}

async function runThroughApi () {
  const answer = await fetch(`${api}/containers/run`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ image, container_port: 80, command: COMMAND, labels: TEST_LABELS })
  })
  if (answer.status !== 201) throw new Error(await answer.text())
  await answer.json()
}

/** The same container as the API makes, so that the engine has the same work. */
async function runOnEngine () {
  await engine.call('bench.run', async (docker, abortSignal) => {
    const container = await docker.createContainer({
      Image: image,
      Cmd: COMMAND,
      Labels: { ...TEST_LABELS },
      ExposedPorts: { '80/tcp': {} },
      HostConfig: {
        PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
        Memory: 1024 ** 3,
        MemorySwap: 1024 ** 3,
        NanoCpus: 1e9,
        PidsLimit: 512,
        SecurityOpt: ['no-new-privileges']
      },
      abortSignal
    })
    await container.start({ abortSignal })
  }, { timeoutMs: 60_000 })
}

async function fill () {
  const count = await engine.call('bench.count', (docker, abortSignal) => docker.listContainers({ all: true, abortSignal }))
  for (let index = count.length; index < LISTED; index++) {
    await engine.call('bench.create', (docker, abortSignal) => docker.createContainer({ Image: image, Labels: { ...TEST_LABELS, 'dockapi.managed': 'true' }, abortSignal }), { timeoutMs: 60_000 })
  }
}

async function listThroughApi () {
  const containers = await (await fetch(`${api}/containers`)).json() as unknown[]
  if (containers.length === 0) throw new Error('the list is empty')
}

async function listOnEngine () {
  await engine.call('bench.list', (docker, abortSignal) => docker.listContainers({ all: true, abortSignal }))
}

function median (values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
