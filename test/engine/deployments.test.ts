import { execFile } from 'node:child_process'
import { chown, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import type { Health } from '../../schemas/health.ts'
import type { RunResult } from '../../schemas/containers.ts'
import { createClient } from '../support/api.ts'
import { hasOpenssl } from '../support/certificates.ts'
import { engineAt } from '../support/chaos-socket.ts'
import { composeProject, readComposeFile, SKIP_COMPOSE } from '../support/compose.ts'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { freePort } from '../support/free-port.ts'
import { buildHaproxyImage, SKIP_HAPROXY } from '../support/haproxy-image.ts'
import { waitForAnswer } from '../support/http.ts'
import { buildProductImage, reasonToSkipProductImage } from '../support/product-image.ts'
import { exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

type Service = { ports?: string[], read_only?: boolean, cap_drop?: string[], security_opt?: string[], volumes?: string[], networks?: Record<string, unknown>, environment?: Record<string, unknown> }
type Composition = { services: Record<string, Service>, networks: Record<string, { internal?: boolean }> }

const run = promisify(execFile)
const fileAt = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const FILES = ['compose.yaml', 'examples/compose/socket-proxy.yaml', 'examples/compose/tls.yaml', 'examples/compose/rootless.yaml']
const NETWORK = `proxy-tls-${process.pid}`

/** As `dockerd --tlsverify` does: TLS that takes only clients of our authority, and the engine behind it. */
const TLS_BEFORE_THE_SOCKET = `defaults
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen engine
  bind :2376 ssl crt /server.pem ca-file /ca.pem verify required
  server engine unix@/var/run/docker.sock
`

await t.test('every compose file keeps the API on this machine and dockAPI without privileges', { skip: SKIP_COMPOSE }, async (t) => {
  for (const path of FILES) {
    const { services, networks } = parse(await readComposeFile(fileAt(path))) as Composition
    for (const [name, service] of Object.entries(services)) {
      t.match(service, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }, `${path}: ${name}`)
      t.ok((service.ports ?? []).every((port) => port.startsWith('127.0.0.1:')), `${path}: ${name} is published on this machine only`)
    }
    const { dockapi } = services
    const others = Object.entries(services).filter(([name, { networks: joined }]) => name !== 'dockapi' && 'control' in (joined ?? {}))
    t.equal(others.length, 0, `${path}: nobody else is on the network of the API`)
    t.match(dockapi?.environment?.DOCKAPI_HOST, /^10\.213\.77\.2$/)
    if (path.endsWith('socket-proxy.yaml')) {
      t.notOk(dockapi?.volumes?.some((volume) => volume.includes('docker.sock')), 'dockAPI has no socket')
      t.equal(networks.dockerproxy?.internal, true)
    }
  }
})

const skip = !hasOpenssl() ? 'needs the openssl command (Debian: openssl)' : SKIP_HAPROXY || SKIP_COMPOSE || await reasonToSkipProductImage()

await t.test('tls.yaml with the certificates of certificates.sh', { skip, timeout: 170_000 }, async (t) => {
  const engine = createTestEngine(t)
  const name = `engine-${process.pid}`
  const folder = t.testdir({})
  const certificates = await makeCertificates(join(folder, 'ours'), name, '127.0.0.1')
  const strangers = await makeCertificates(join(folder, 'strangers'), name)
  const [gateway, apiPort] = [await freePort(), await freePort()]
  const compose = composeProject(t, fileAt('examples/compose/tls.yaml'), `tls${process.pid}`, {
    DOCKAPI_IMAGE: (await buildProductImage(engine)).image,
    DOCKAPI_ENGINE: `tcp://${name}:2376`,
    CERTIFICATES: certificates,
    DOCKAPI_NETWORK: NETWORK,
    DOCKAPI_GATEWAY_PORT: String(gateway),
    DOCKAPI_API_PORT: String(apiPort),
    DOCKAPI_CONTROL_PREFIX: '10.213.82',
    DOCKAPI_CONTROL_NETWORK: `api-of-tls-${process.pid}`
  })
  await compose('up', '--detach', '--no-build')
  await waitForAnswer(`http://localhost:${apiPort}/livez`)
  const api = createClient(`http://localhost:${apiPort}`)
  t.match(await api.get('/healthz'), { status: 503, body: { engine: { error: /the host name is not known|did not answer to ping in time/ } } }, 'the engine is not there yet, and who knows its name may not answer either')

  const { id, hostPort } = await startTestContainer(engine, {
    image: await buildHaproxyImage(engine),
    command: ['haproxy', '-db', '-f', '/tls.cfg'],
    name,
    port: 2376,
    files: [
      { path: 'tls.cfg', content: TLS_BEFORE_THE_SOCKET },
      { path: 'server.pem', content: Buffer.concat([await readFile(join(certificates, 'server/cert.pem')), await readFile(join(certificates, 'server/key.pem'))]) },
      { path: 'ca.pem', source: join(certificates, 'server/ca.pem') }
    ],
    hostConfig: { NetworkMode: NETWORK, Binds: [`${engine.endpoint.address}:/var/run/docker.sock`] }
  })
  t.after(() => engine.call('remove', (docker) => docker.getContainer(id).remove({ force: true })))

  await t.test('dockAPI in its container, not root, runs a container through it and serves it', async (t) => {
    await until(async () => (await api.get('/healthz')).status === 200 && (await api.get('/readyz')).status === 200)
    t.match((await api.get<Health>('/healthz')).body, { ok: true, engine: { endpoint: `tcp://${name}:2376 (DOCKER_HOST, TLS)`, disabled: [] } })
    const { status, body } = await api.run<RunResult>({ image: await busyboxImage(engine), command: ['httpd', '-f', '-p', '80'], container_port: 80, wait_ready: true })
    t.equal(status, 201, JSON.stringify(body))
    t.after(() => api.delete(`/containers/${body.id}?force=true`))
    t.equal((await exchange(t, gateway, `GET / HTTP/1.1\r\nHost: ${body.name}.localhost\r\n\r\n`)).status, 404, 'httpd itself has nothing to show')
    t.match((await api.post(`/containers/${body.id}/exec`, { command: 'echo over TLS' })).body, { stdout: 'over TLS\n' }, 'connections that are upgraded work too')
  })

  await t.test('without the right certificates each side refuses, and /healthz says which', async (t) => {
    const healthWith = async (folder: string) => (await engineAt(t, { DOCKER_HOST: `tcp://127.0.0.1:${hostPort}`, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder }).health()) as Health
    t.match(await healthWith(join(certificates, 'client')), { ok: true })
    t.match(await healthWith(join(strangers, 'client')), { ok: false, engine: { error: /nobody that is trusted signed/, hint: /ca\.pem/ } })

    const mixed = join(folder, 'mixed')
    await mkdir(mixed)
    await run('cp', [join(certificates, 'client/ca.pem'), join(strangers, 'client/cert.pem'), join(strangers, 'client/key.pem'), mixed])
    t.match(await healthWith(mixed), { ok: false, engine: { error: /refused this client's certificate/, hint: /cert\.pem and key\.pem/ } })
    await rm(join(mixed, 'cert.pem'))
    await rm(join(mixed, 'key.pem'))
    t.match(await healthWith(mixed), { ok: false, engine: { error: /refused this client's certificate/, hint: /cert\.pem and key\.pem/ } })
  })
})

/** Runs the script; the client's files belong to the user that dockAPI runs as. */
async function makeCertificates (path: string, ...names: string[]): Promise<string> {
  await run(fileAt('examples/compose/certificates.sh'), names, { env: { ...process.env, CERTIFICATES: path } })
  for (const name of ['', 'ca.pem', 'cert.pem', 'key.pem']) await chown(join(path, 'client', name), 1000, 1000)
  return path
}
