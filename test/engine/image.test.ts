import { execFileSync } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { listNpmBase } from '../../scripts/base-images.ts'
import { buildImage, importImage, listFolder } from '../../scripts/images.ts'
import type { Entry } from '../../scripts/images.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { busyboxImage, createTestEngine, engineFromEnvironment, startTestContainer, TEST_LABELS, TEST_RUN } from '../support/engine.ts'
import { waitForAnswer } from '../support/http.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** The registry that npm is set to here; the build inside the engine asks the same. */
const REGISTRY = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim()
const BASE = `dockapi-test-npm:${TEST_RUN}`
const IMAGE = `dockapi-test-product:${TEST_RUN}`
const TOKEN = 'a-token-for-this-test-only'
const WITHIN_MS = 60_000

await t.test('the Dockerfile builds an image that serves the API', { skip: await reasonToSkip() }, async (t) => {
  const engine = createTestEngine(t)
  const certificates = process.env.NODE_EXTRA_CA_CERTS === undefined ? [] : ['ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/extra.crt']
  const labels = Object.entries(TEST_LABELS).map(([name, value]) => `LABEL ${name}=${value}`)
  await importImage(engine, BASE, (await listNpmBase(engine))!, [...certificates, ...labels, `ENV npm_config_registry=${REGISTRY}`])
  const context = await listContext()
  const options = { buildargs: { NODE_IMAGE: BASE }, labels: { ...TEST_LABELS }, networkmode: 'host' }
  await buildImage(engine, `${IMAGE}-dependencies`, context, { ...options, target: 'dependencies' })
  await buildImage(engine, IMAGE, context, options)

  const { Size: baseSize } = await engine.call('inspect', (docker) => docker.getImage(BASE).inspect())
  const { Size: size } = await engine.call('inspect', (docker) => docker.getImage(IMAGE).inspect())
  const megabytes = (size - baseSize) / 1e6
  t.comment(`dockAPI adds ${megabytes.toFixed(0)} MB to its base`)
  t.ok(megabytes < 150, 'development dependencies stay out')

  await t.test('it refuses to start without a token', async (t) => {
    const { id } = await startTestContainer(engine, { image: IMAGE })
    const { StatusCode } = await engine.call('wait', (docker) => docker.getContainer(id).wait(), { timeoutMs: WITHIN_MS })
    t.equal(StatusCode, 1)
    t.match(String(await engine.call('logs', (docker) => docker.getContainer(id).logs({ stderr: true }))), 'DOCKAPI_TOKEN')
  })

  await t.test('hardened as in compose.yaml, it runs containers of its engine and reaches them', async (t) => {
    const network = await createNetwork(engine)
    const socket = engine.endpoint.address
    const { id, hostPort } = await startTestContainer(engine, {
      image: IMAGE,
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
  for (const line of ['read_only: true', '- /tmp', '- ALL', '- no-new-privileges:true', '- 127.0.0.1:8000:8000', 'DOCKAPI_NETWORK: dockapi', 'name: dockapi']) {
    t.match(compose, new RegExp(`^ *${line.replaceAll('.', '\\.')}$`, 'm'))
  }
})

async function reasonToSkip (): Promise<string | false> {
  const engine = engineFromEnvironment()
  try {
    if (engine.endpoint.kind !== 'unix') return 'the engine is not on this machine'
    if (await listNpmBase(engine) === undefined) return 'no base image can be made from this machine\'s files'
    return await fetch(REGISTRY, { signal: AbortSignal.timeout(10_000) }).then(() => false, () => 'npm\'s registry cannot be reached')
  } finally {
    await engine.close()
  }
}

/** What `.dockerignore` lets through to the builder: it shuts everything out and names the exceptions. */
async function listContext (): Promise<Entry[]> {
  const lines = (await readFile(`${ROOT}.dockerignore`, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const names = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  const entries = await Promise.all(names.map(async (name): Promise<Entry[]> => {
    const source = `${ROOT}${name}`
    return (await stat(source)).isDirectory() ? await listFolder(source, name) : [{ path: name, source }]
  }))
  return [{ path: 'Dockerfile', source: `${ROOT}Dockerfile` }, ...entries.flat()]
}

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
