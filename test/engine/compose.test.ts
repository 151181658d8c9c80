import { fileURLToPath } from 'node:url'
import t from 'tap'
import { buildImage } from '../../scripts/images.ts'
import { composeProject, SKIP_COMPOSE } from '../support/compose.ts'
import { createTestEngine, nodeImage, TEST_LABELS, TEST_RUN } from '../support/engine.ts'
import { waitForAnswer } from '../support/http.ts'
import { freePort } from '../support/free-port.ts'
import { buildProductImage, reasonToSkipProductImage } from '../support/product-image.ts'
import { exchange } from '../support/raw-client.ts'

type Launched = { status: string, container: string, id: string, name: string, url: string, host: string }

const FILE = fileURLToPath(new URL('../../compose.yaml', import.meta.url))
const skip = SKIP_COMPOSE === false ? await reasonToSkipProductImage() : SKIP_COMPOSE
const APPLICATION = 'require("http").createServer((_, response) => response.setHeader("content-type", "application/json").end(JSON.stringify({ status: "Success", message: "Hello from express server" }))).listen(3000)'

await t.test('compose.yaml: one command, one call, and the container answers at its name', { skip, timeout: 170_000 }, async (t) => {
  const engine = createTestEngine(t)
  const { image } = await buildProductImage(engine)
  const application = `dockapi-test-api:${TEST_RUN}`
  await buildImage(engine, application, [{ path: 'Dockerfile', content: `FROM ${await nodeImage(engine)}\nEXPOSE 3000\nCMD ["node", "-e", ${JSON.stringify(APPLICATION)}]\n` }], { labels: { ...TEST_LABELS } })
  const [gateway, api] = [await freePort(), await freePort()]
  const compose = composeProject(t, FILE, `dockapitest${process.pid}`, {
    DOCKAPI_IMAGE: image, DOCKAPI_GATEWAY_PORT: String(gateway), DOCKAPI_API_PORT: String(api), DOCKAPI_CONTROL_PREFIX: '10.213.80', DOCKAPI_CONTROL_NETWORK: `api-of-test-${process.pid}`, DOCKER_SOCKET: engine.endpoint.address
  })
  await compose('up', '--detach', '--no-build')
  await waitForAnswer(`http://localhost:${api}/livez`)

  const answer = await fetch(`http://localhost:${api}/containers`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ image: application.split(':')[0], tag: TEST_RUN }) })
  t.equal(answer.status, 201)
  const launched = await answer.json() as Launched
  t.teardown(() => fetch(`http://localhost:${api}/containers/${launched.id}?force=true`, { method: 'DELETE' }))
  t.match(launched, { status: 'success', container: `/${launched.name}.localhost`, url: `http://${launched.host}:${gateway}/` })
  for (const host of [`${launched.name}.localhost`, launched.host]) {
    const { status, body } = await until200(t, gateway, host)
    t.equal(status, 200, host)
    t.match(body, 'Hello from express server')
  }
  t.match(await (await fetch(`http://localhost:${api}/healthz`)).json(), { ok: true })

  await t.test('another container of its network does not reach the API', async (t) => {
    const command = 'fetch(\'http://10.213.80.2:8080/livez\', { signal: AbortSignal.timeout(2000) }).then(() => \'reached\', () => \'not reached\').then(console.log)'
    const exec = await fetch(`http://localhost:${api}/containers/${launched.id}/exec`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ command: ['node', '-e', command] }) })
    t.match(await exec.json(), { exit_code: 0, stdout: 'not reached\n' })
  })
})

async function until200 (t: Parameters<typeof exchange>[0], port: number, host: string) {
  for (let attempt = 0; ; attempt++) {
    const answer = await exchange(t, port, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    if (answer.status !== 503 || attempt === 100) return answer
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }
}
