import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import type { Explanation } from '../../schemas/explain.ts'
import type { Health } from '../../schemas/health.ts'
import type { Problem } from '../../schemas/problem.ts'
import type { RouteInfo } from '../../schemas/routes.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { engineStatus } from '../../src/engine/errors.ts'
import { createClient } from '../support/api.ts'
import { composeProject, SKIP_COMPOSE } from '../support/compose.ts'
import { createTestEngine, nodeImage, startTestContainer, TEST_LABELS } from '../support/engine.ts'
import { freePort } from '../support/free-port.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { buildHaproxyImage, SKIP_HAPROXY } from '../support/haproxy-image.ts'
import { waitForAnswer } from '../support/http.ts'
import { buildProductImage, reasonToSkipProductImage } from '../support/product-image.ts'
import { exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const FILE = fileURLToPath(new URL('../../examples/compose/socket-proxy.yaml', import.meta.url))
const PROJECT = `socketproxy${process.pid}`
const NETWORK = `proxy-${process.pid}`
const skip = SKIP_HAPROXY || SKIP_COMPOSE || await reasonToSkipProductImage()

await t.test('examples/compose/socket-proxy.yaml: CONTAINERS, NETWORKS and EVENTS are enough to find containers and route to them', { skip, timeout: 170_000 }, async (t) => {
  const engine = createTestEngine(t)
  const image = await nodeImage(engine)
  const [gateway, apiPort] = [await freePort(), await freePort()]
  const compose = composeProject(t, FILE, PROJECT, {
    DOCKAPI_IMAGE: (await buildProductImage(engine)).image,
    HAPROXY_IMAGE: await buildHaproxyImage(engine),
    DOCKAPI_NETWORK: NETWORK,
    DOCKAPI_GATEWAY_PORT: String(gateway),
    DOCKAPI_API_PORT: String(apiPort),
    DOCKAPI_CONTROL_PREFIX: '10.213.81',
    DOCKAPI_CONTROL_NETWORK: `api-of-socket-proxy-${process.pid}`,
    DOCKER_SOCKET: engine.endpoint.address
  })
  await compose('up', '--detach', '--no-build')
  await waitForAnswer(`http://localhost:${apiPort}/livez`)
  const api = createClient(`http://localhost:${apiPort}`)

  /** An application on a network; it leaves the network before that goes. */
  async function startApplication (t: Test, name: string, labels: Record<string, string>, network = NETWORK) {
    const command = ['node', '--input-type=module', '--eval', APPLICATION]
    const { id } = await startTestContainer(engine, { image, command, name: `${PROJECT}-${name}`, labels: { 'dockapi.port': '8080', ...labels }, hostConfig: { NetworkMode: network } })
    t.after(() => remove(id))
    return { id, name: `${PROJECT}-${name}`, host: `${PROJECT}-${name}.localhost` }
  }

  /** What is gone already is as good as removed. */
  async function remove (id: string) {
    await engine.call('remove', (docker) => docker.getContainer(id).remove({ force: true })).catch((error: unknown) => { if (engineStatus(error) !== 404) throw error })
  }

  const ask = (t: Test, host: string, headers = '') => exchange(t, gateway, `GET / HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`)
  const answers = (t: Test, host: string, status = 200) => until(async () => (await ask(t, host)).status === status)
  const routeOf = async (host: string) => (await api.get<RouteInfo[]>('/routes')).body.find(({ hosts }) => hosts.includes(host))

  const stateOf = async (host: string) => (await routeOf(host))?.upstreams[0]?.state

  await t.test('only the socket proxy holds the socket', async (t) => {
    t.notOk((await mountsOf(engine, 'dockapi')).some((path) => path.endsWith('.sock')))
    t.ok((await mountsOf(engine, 'dockerproxy')).includes('/var/run/docker.sock'))
  })

  await t.test('/healthz is 200, and names what is off and how to have it', async (t) => {
    const { status, body } = await api.get<Health>('/healthz')
    t.equal(status, 200)
    t.match(body, { ok: true, engine: { endpoint: 'tcp://dockerproxy:2375 (DOCKER_HOST)', version: /^\d/, disabled: ['EXEC', 'IMAGES', 'INFO', 'POST', 'VOLUMES'], hint: /EXEC=1 IMAGES=1 INFO=1 POST=1 VOLUMES=1/ } })
    await until(async () => (await api.get('/readyz')).status === 200)
  })

  await t.test('containers come and go as the events tell', async (t) => {
    const app = await startApplication(t, 'traefik', { 'traefik.enable': 'true' })
    await answers(t, app.host)
    t.ok(app.id.startsWith(String((await ask(t, app.host)).json().id)))
    await until(async () => (await stateOf(app.host)) === 'up')
    t.match(await routeOf(app.host), { upstreams: [{ container_name: app.name, reason: new RegExp(`shares the network "${NETWORK}"`) }], problems: [] })

    const later = await startApplication(t, 'later', { 'dockapi.enable': 'true' })
    await answers(t, later.host)
    t.ok(later.id.startsWith(String((await ask(t, later.host)).json().id)))
    t.equal((await api.get(`/containers/${later.name}`)).status, 200)

    await engine.call('stop', (docker) => docker.getContainer(later.id).stop({ t: 1 }))
    await answers(t, later.host, 503)
    t.match((await ask(t, later.host)).json(), { code: 'upstream_not_running' })
    await engine.call('start', (docker) => docker.getContainer(later.id).start())
    await answers(t, later.host)
    await engine.call('rename', (docker) => docker.getContainer(later.id).rename({ name: `${PROJECT}-renamed` }))
    await answers(t, `${PROJECT}-renamed.localhost`)
    await remove(app.id)
    await answers(t, app.host, 404)
    t.equal(await routeOf(app.host), undefined)
  })

  await t.test('calls that need what is off are told so, by the name of the switch', async (t) => {
    const { name } = await startApplication(t, 'kept', { 'dockapi.enable': 'true' })
    const refused: Array<[string, string, object | undefined, string[]]> = [
      ['POST', `/containers/${name}/stop`, undefined, ['POST']],
      ['POST', `/containers/${name}/restart`, undefined, ['POST']],
      ['POST', `/containers/${name}/exec`, { command: ['true'] }, ['POST']],
      ['POST', '/containers/run', { image, container_port: 8080 }, ['POST']],
      ['POST', '/images/pull', { image: 'nginx' }, ['IMAGES', 'POST']],
      ['DELETE', `/containers/${name}?force=true`, undefined, ['POST']],
      ['GET', '/images', undefined, ['IMAGES']]
    ]
    for (const [method, path, body, switches] of refused) {
      const answer = await api.call<Problem & { switches: string[] }>(method, path, body)
      t.match(answer, { status: 403, body: { code: 'feature_disabled', detail: /socket proxy/ } }, `${method} ${path}`)
      t.ok(answer.body.switches.every((each) => switches.includes(each)), `${method} ${path}: ${answer.body.switches.join()}`)
      for (const each of answer.body.switches) t.match(answer.body.hint, `${each}=1`)
    }
    t.match(await api.get(`/containers/${name}`), { status: 200, body: { status: 'running' } })
    t.match(await api.get('/healthz'), { status: 200, body: { ok: true } })
  })

  await t.test('a container that shares no network is explained, and is served once it does', async (t) => {
    const other = `other-${process.pid}`
    await engine.call('network', (docker) => docker.createNetwork({ Name: other, Labels: TEST_LABELS }))
    const app = await startApplication(t, 'apart', { 'traefik.enable': 'true' }, other)
    const why = new RegExp(`cannot be reached on port 8080: it is on the networks ${other}, and dockAPI's own container is on none of them`)
    const whatToDo = new RegExp(`${why.source}.*docker network connect ${NETWORK} ${app.name}`)
    await answers(t, app.host, 502)

    // Strangers learn only who knows more: every caller from outside the gateway's container is one.
    t.match((await ask(t, app.host)).json(), { code: 'upstream_failed', hint: /GET \/routes\/explain/ })
    const page = await ask(t, app.host, 'Accept: text/html\r\n')
    t.match(page.header('content-type'), /text\/html/)
    t.match(page.body, /GET \/routes\/explain/)
    t.notMatch(page.body, other)
    t.match(await routeOf(app.host), { upstreams: [{ state: 'unreachable', address: null, reason: why }], problems: [whatToDo] })
    const { body } = await api.get<Explanation>(`/routes/explain?url=${encodeURIComponent(`http://${app.host}/`)}`)
    t.match(body, { outcome: 'no_upstream', summary: whatToDo })

    await engine.call('connect', (docker) => docker.getNetwork(NETWORK).connect({ Container: app.id }))
    await answers(t, app.host)
    await until(async () => (await stateOf(app.host)) === 'up')
    t.match(await routeOf(app.host), { problems: [] })

    await engine.call('disconnect', (docker) => docker.getNetwork(NETWORK).disconnect({ Container: app.id }))
    await until(async () => (await stateOf(app.host)) === 'unreachable')
    await answers(t, app.host, 502)
    await engine.call('connect', async (docker) => docker.getNetwork(other).connect({ Container: await idOf(engine, 'dockapi') }))
    await answers(t, app.host)
    await engine.call('disconnect', async (docker) => docker.getNetwork(other).disconnect({ Container: await idOf(engine, 'dockapi') }))
    await until(async () => (await stateOf(app.host)) === 'unreachable')
  })

  await t.test('the log tells the operator why, and nothing failed in it', async (t) => {
    const log = await logOf(engine, 'dockapi')
    t.match(log, /"code":"upstream_failed","detail":".*dockAPI's own container is on none of them/)
    t.notMatch(log, /"level":[56]0/)
  })
})

async function idOf (engine: Engine, service: string): Promise<string> {
  const filters = { label: [`com.docker.compose.project=${PROJECT}`, `com.docker.compose.service=${service}`] }
  const [container] = await engine.call('list', (docker) => docker.listContainers({ filters }))
  return container!.Id
}

async function mountsOf (engine: Engine, service: string): Promise<string[]> {
  const id = await idOf(engine, service)
  const { Mounts } = await engine.call('inspect', (docker) => docker.getContainer(id).inspect())
  return Mounts.map(({ Destination }) => Destination)
}

async function logOf (engine: Engine, service: string): Promise<string> {
  const id = await idOf(engine, service)
  return String(await engine.call('logs', (docker) => docker.getContainer(id).logs({ stdout: true, stderr: true })))
}
