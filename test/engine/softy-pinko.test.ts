import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { RouteInfo } from '../../schemas/routes.ts'
import { launchBrowser, picture, SKIP_BROWSER, watchPage } from '../support/browser.ts'
import { composeProject, SKIP_COMPOSE } from '../support/compose.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'
import { freePort } from '../support/free-port.ts'
import { waitForAnswer } from '../support/http.ts'
import { buildProductImage, reasonToSkipProductImage } from '../support/product-image.ts'
import { until } from '../support/until.ts'

const FILE = fileURLToPath(new URL('../../examples/softy-pinko/compose.yaml', import.meta.url))
const PROJECT = `pinko${process.pid}`
const skip = SKIP_COMPOSE === false ? await reasonToSkipProductImage() : SKIP_COMPOSE

await t.test('examples/softy-pinko: one command, by path, in turn, across origins, more and fewer replicas without a failed request', { skip, timeout: 170_000 }, async (t) => {
  const engine = createTestEngine(t)
  const { image, base } = await buildProductImage(engine)
  const [gateway, api] = [await freePort(), await freePort()]
  const compose = composeProject(t, FILE, PROJECT, {
    DOCKAPI_IMAGE: image,
    NODE_IMAGE: base,
    BUSYBOX_IMAGE: await busyboxImage(engine),
    DOCKAPI_GATEWAY_PORT: String(gateway),
    DOCKAPI_API_PORT: String(api),
    DOCKAPI_CONTROL_PREFIX: '10.213.79',
    DOCKER_SOCKET: engine.endpoint.address
  })
  await compose('build', 'front-end', 'back-end')
  await compose('up', '--detach', '--no-build', '--scale', 'back-end=3')

  const origin = `http://localhost:${gateway}`
  const servers = async () => {
    const routes = await (await fetch(`http://localhost:${api}/routes`)).json() as RouteInfo[]
    return routes.find(({ hosts }) => hosts.includes('api.softy-pinko.localhost'))?.upstreams.filter(({ state }) => state === 'up').length
  }
  await waitForAnswer(`http://localhost:${api}/livez`)
  await until(async () => await servers() === 3)

  await t.test('the front-end at /, back-ends at /api, each in its turn', async (t) => {
    t.match(await (await fetch(origin)).text(), /<h1>Softy Pinko<\/h1>/)
    const counts = await ask(origin, 30)
    t.same(Object.values(counts), [10, 10, 10])
  })

  await t.test('a person sees it: the page asks back-ends by path and another origin', { skip: SKIP_BROWSER }, async (t) => {
    const page = await (await launchBrowser(t)).newPage()
    const complaints = watchPage(page)
    await page.goto(`http://softy-pinko.localhost:${gateway}/`)
    await page.getByRole('button', { name: 'Ask ten times' }).click()
    await page.locator('#answers li').nth(9).waitFor()
    const asked = await page.locator('#answers li').evaluateAll((items) => items.map((item) => (item as unknown as { dataset: { server: string } }).dataset.server))
    t.equal(new Set(asked).size, 3)
    await page.getByText('Hello, World! I am', { exact: false }).last().waitFor()
    t.match(await page.locator('#greeting').textContent(), /Hello, World!/)
    await picture(page, 'softy-pinko')
    t.same(complaints.errors.filter((error) => !error.includes('favicon') && !error.includes('404')), [])
  })

  await t.test('scaling up and down, by compose and by dockAPI, fails no request', async (t) => {
    const load = startLoad(origin)
    await compose('up', '--detach', '--no-build', '--no-recreate', '--scale', 'back-end=5')
    await until(async () => await servers() === 5)
    await compose('up', '--detach', '--no-build', '--no-recreate', '--scale', 'back-end=2')
    await until(async () => await servers() === 2)
    const [name] = (await compose('ps', '-q', 'back-end')).split('\n')
    const scale = (replicas: number) => fetch(`http://localhost:${api}/containers/${name}/replicas`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ replicas }) })
    t.equal((await scale(3)).status, 200)
    await until(async () => await servers() === 4)
    t.equal((await scale(1)).status, 200)
    await until(async () => await servers() === 2)
    const { total, failed } = await load.end()
    t.ok(total > 100, `${total} requests`)
    t.same(failed, {})
  })
})

/** Answers by server. */
async function ask (origin: string, times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let count = 0; count < times; count++) {
    const { server } = await (await fetch(`${origin}/api/hello`)).json() as { server: string }
    counts[server] = (counts[server] ?? 0) + 1
  }
  return counts
}

/** Asks on and on until it is told to end. */
function startLoad (origin: string) {
  const failed: Record<string, number> = {}
  let total = 0
  const over = new AbortController()
  const clients = Array.from({ length: 4 }, async () => {
    while (!over.signal.aborted && total < 50_000) {
      total++
      const outcome = await fetch(`${origin}/api/hello`).then(async (answer) => { const text = await answer.text(); return answer.status === 200 ? undefined : `${answer.status} ${text}` }, (error: Error) => String(error.cause ?? error))
      if (outcome !== undefined) failed[outcome] = (failed[outcome] ?? 0) + 1
    }
  })
  return { async end () { over.abort(); await Promise.all(clients); return { total, failed } } }
}
