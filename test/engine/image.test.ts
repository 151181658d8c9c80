import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Engine } from '../../src/engine/engine.ts'
import { busyboxImage, createTestEngine, startTestContainer, TEST_LABELS, TEST_RUN } from '../support/engine.ts'
import { waitForAnswer } from '../support/http.ts'
import { buildProductImage, reasonToSkipProductImage } from '../support/product-image.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TOKEN = 'a-token-for-this-test-only'
const WITHIN_MS = 60_000

await t.test('the Dockerfile builds an image that serves the API', { skip: await reasonToSkipProductImage() }, async (t) => {
  const engine = createTestEngine(t)
  const { image, base } = await buildProductImage(engine)

  const { Size: baseSize } = await engine.call('inspect', (docker) => docker.getImage(base).inspect())
  const { Size: size } = await engine.call('inspect', (docker) => docker.getImage(image).inspect())
  const megabytes = (size - baseSize) / 1e6
  t.comment(`dockAPI adds ${megabytes.toFixed(0)} MB to its base`)
  t.ok(megabytes < 60, 'what is bundled, and development dependencies, stay out')

  await t.test('it refuses to start without a token', async (t) => {
    const { id } = await startTestContainer(engine, { image })
    const { StatusCode } = await engine.call('wait', (docker) => docker.getContainer(id).wait(), { timeoutMs: WITHIN_MS })
    t.equal(StatusCode, 1)
    t.match(String(await engine.call('logs', (docker) => docker.getContainer(id).logs({ stderr: true }))), 'DOCKAPI_TOKEN')
  })

  await t.test('hardened as in compose.yaml, it runs containers of its engine and reaches them', async (t) => {
    const network = await createNetwork(engine)
    const socket = engine.endpoint.address
    const { id, hostPort } = await startTestContainer(engine, {
      image,
      port: 8000,
      env: { DOCKAPI_TOKEN: TOKEN, DOCKAPI_NETWORK: network },
      hostConfig: {
        Init: false,
        NetworkMode: network,
        Binds: [`${socket}:/var/run/docker.sock`],
        GroupAdd: [String((await stat(socket)).gid)],
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': '' },
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true']
      }
    })
    const origin = `http://127.0.0.1:${hostPort}`
    const headers = { authorization: `Bearer ${TOKEN}` }
    const health = await waitForAnswer(`${origin}/healthz`, { headers })
    for (const page of ['/docs/', '/redoc', '/redoc/redoc.standalone.js', '/openapi.json']) t.ok((await (await fetch(origin + page)).text()).length > 0, page)
    t.equal(health.status, 200)
    t.match(await health.json(), { ok: true })

    const run = await fetch(`${origin}/containers/run`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({
        image: await busyboxImage(engine), command: ['httpd', '-f', '-p', '80'], container_port: 80, wait_ready: true, labels: TEST_LABELS
      })
    })
    const answer = await run.json() as { networks: string[] }
    t.equal(run.status, 201, JSON.stringify(answer))
    t.strictSame(answer.networks, [network])

    const { Status: status, Log: log } = await waitForHealth(engine, id)
    t.equal(status, 'healthy', `the last checks: ${JSON.stringify(log)}`)
    const { Titles, Processes } = await engine.call('top', (docker) => docker.getContainer(id).top({ ps_args: '-eo pid,uid' }))
    t.strictSame(Processes.map((process: string[]) => process[Titles.indexOf('UID')]), ['1000'])

    await engine.call('stop', (docker) => docker.getContainer(id).stop({ t: 20 }), { timeoutMs: WITHIN_MS })
    const { State } = await engine.call('inspect', (docker) => docker.getContainer(id).inspect())
    t.equal(State.ExitCode, 0, 'SIGTERM ends it in order')
  })
})

await t.test('compose.yaml asks for what the image test has tried', async (t) => {
  const compose = await readFile(`${ROOT}compose.yaml`, 'utf8')
  for (const line of ['read_only: true', '- /tmp', '- ALL', '- no-new-privileges:true', 'DOCKAPI_NETWORK: dockapi', 'name: dockapi']) {
    t.match(compose, new RegExp(`^ *${line.replaceAll('.', '\\.')}$`, 'm'))
  }
})

async function createNetwork (engine: Engine): Promise<string> {
  const name = `dockapi-test-${TEST_RUN}`
  await engine.call('network', (docker, signal) => docker.createNetwork({ Name: name, Labels: TEST_LABELS, abortSignal: signal }))
  return name
}

async function waitForHealth (engine: Engine, id: string) {
  const deadline = AbortSignal.timeout(WITHIN_MS)
  while (true) {
    const { State: { Health: health } } = await engine.call('inspect', (docker) => docker.getContainer(id).inspect())
    if (health?.Status !== 'starting' || deadline.aborted) return { Status: health?.Status, Log: health?.Log }
    await delay(200)
  }
}
