import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import t from 'tap'
import type { Test } from 'tap'
import { createTestApp } from '../support/app.ts'
import { SKIP_BROWSER, launchBrowser } from '../support/browser.ts'
import { createTestEngine, nodeImage, startTestContainer } from '../support/engine.ts'
import type { TestContainer } from '../support/engine.ts'
import { until } from '../support/until.ts'

const OPTIONS = { skip: SKIP_BROWSER, timeout: 60_000 }
const HOSTILE = await readFile(new URL('hostile-page.js', import.meta.url), 'utf8')
const PAGE = '<!doctype html><title>page</title><body>page</body>'

/** The application in the container: a page at every path, and what was asked of `/data`. */
const APPLICATION = `
import { createServer } from 'node:http'
const seen = []
createServer((request, response) => {
  if (request.url.endsWith('/seen')) return response.end(JSON.stringify(seen))
  if (request.url.endsWith('/cookies')) return response.end(String(request.headers.cookie))
  if (request.url.endsWith('/set')) response.setHeader('set-cookie', ['own=1; Path=/', 'tossed=1; Path=/; Domain=localhost', 'also=1; Path=/; Domain=.localhost'])
  if (request.url.endsWith('/data')) seen.push(request.method + ' from ' + request.headers.origin)
  response.writeHead(200, { 'content-type': 'text/html', 'cache-control': 'max-age=600' }).end(${JSON.stringify(PAGE)})
}).listen(80)
`

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const NAMES = [`page-${process.pid}`, `neighbour-${process.pid}`]
const [container, neighbour] = await Promise.all(NAMES.map((name) => startTestContainer(engine, { image, name, command: ['node', '/app.mjs'], labels: { 'dockapi.enable': 'true' }, port: 80, files: [{ path: 'app.mjs', content: APPLICATION }] }))) as [TestContainer, TestContainer]
const containerUrl = `http://127.0.0.1:${container.hostPort}`
for (const { hostPort } of [container, neighbour]) await until(async () => (await fetch(`http://127.0.0.1:${hostPort}/seen`).catch(() => undefined))?.ok === true)

/** An API with something to read and something to change, a container's page under it, and a web server that is neither. */
async function createScene (t: Test) {
  const app = await createTestApp(t, { DOCKAPI_GATEWAY_PORT: '0' })
  const reached: string[] = []
  app.get('/secret', { config: { scope: 'read' } }, async () => {
    reached.push('read')
    return { secret: 'of the API' }
  })
  app.post('/act', { config: { scope: 'run' } }, async () => {
    reached.push('act')
    return {}
  })
  const api = await app.listen({ host: '127.0.0.1', port: 0 })
  await app.gateway.listen()

  const web = createServer((_request, response) => { response.setHeader('content-type', 'text/html').end(PAGE) })
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.after(() => {
    web.closeAllConnections()
    web.close()
  })
  const webPort = (web.address() as AddressInfo).port

  const browser = await launchBrowser(t, ['evil.test', 'app1.localhost'])
  return { api, apiPort: new URL(api).port, gatewayPort: app.gateway.port!, webPort, reached, page: await browser.newPage() }
}

async function attack (page: Page, api: string): Promise<string[]> {
  await page.evaluate(HOSTILE)
  return await page.evaluate<string[]>(`attack(${JSON.stringify(api)})`)
}

/** What a page can read, and whether it can open a WebSocket. */
const READ = (url: string) => fetch(url).then((response) => response.text(), () => 'refused')
const OPEN = (url: string) => new Promise<string>((resolve) => {
  const socket = new WebSocket(url)
  socket.onopen = () => { resolve('open') }
  socket.onerror = () => { resolve('refused') }
})

/** The answers are not read: what counts is what arrives. */
async function fetchBlindly (page: Page, url: string): Promise<void> {
  await page.evaluate((url) => fetch(url, { mode: 'no-cors' }).then(() => {}), url)
}

await t.test('S2: pages of another site and of another container reach nothing of the API', OPTIONS, async (t) => {
  const { api, webPort, reached, page } = await createScene(t)
  for (const host of ['evil.test', 'app1.localhost']) {
    await page.goto(`http://${host}:${webPort}/`)
    t.same(await attack(page, api), [], host)
    t.same(reached, [], host)
  }
})

await t.test('S1: a page whose name was re-pointed at the API is refused', OPTIONS, async (t) => {
  const { apiPort, reached, page } = await createScene(t)
  for (const path of ['/secret', '/docs', '/proxy/a/']) {
    const response = await page.goto(`http://evil.test:${apiPort}${path}`)
    t.equal(response?.status(), 403, path)
  }
  t.same(reached, [])
})

await t.test('S8: a container\'s page under the API reaches its own container and nothing else', OPTIONS, async (t) => {
  const { api, reached, page } = await createScene(t)
  const mounted = `${api}/proxy/${container.id}`
  await page.goto(`${mounted}/index.html`)
  t.equal(await page.evaluate('self.origin'), 'null')
  t.same(await attack(page, api), [])
  t.same(reached, [])
  await fetchBlindly(page, `${mounted}/data`)
  await page.evaluate((url) => fetch(url, { method: 'POST', mode: 'no-cors', body: 'x' }).then(() => {}), `${mounted}/data`)
  t.same(await (await fetch(`${containerUrl}/seen`)).json(), ['GET from undefined', 'POST from null'])
  t.same(await page.evaluate(READ, `${api}/proxy/${neighbour.id}/`), 'refused', 'nothing of another container')
  t.same(await page.evaluate(READ, `${api}/containers`), 'refused')
  t.same(await page.evaluate(OPEN, `${api.replace('http', 'ws')}/containers/${neighbour.id}/exec?command=true`), 'refused')
})

await t.test('S8 S9: a container\'s page at its own host reads nothing of another one, gives it no cookie, and reaches nothing of the API', OPTIONS, async (t) => {
  const { api, gatewayPort, reached, page } = await createScene(t)
  const [own, other] = NAMES.map((name) => `http://${name}.localhost:${gatewayPort}`)
  await page.goto(`${own}/set`)
  t.same(await attack(page, api), [])
  t.same(reached, [])
  t.match(await page.evaluate(READ, `${own}/data`), 'page')
  t.same(await page.evaluate(READ, `${other}/data`), 'refused')
  t.same(await page.evaluate(READ, `${api}/proxy/${neighbour.id}/`), 'refused')
  t.same(await page.evaluate(OPEN, `${api.replace('http', 'ws')}/containers/${neighbour.id}/exec?command=true`), 'refused')
  const cookiesAt = async (url: string) => await (await page.goto(`${url}/cookies`))?.text()
  t.equal(await cookiesAt(own!), 'own=1')
  for (const url of [other!, `${api}/proxy/${neighbour.id}`, `http://localhost:${new URL(api).port}/proxy/${neighbour.id}`]) t.equal(await cookiesAt(url), 'undefined', url)
})

await t.test('S9: a cookie of a container under the API is sent to no other', OPTIONS, async (t) => {
  const { api, page } = await createScene(t)
  await page.goto(`${api}/proxy/${container.id}/set`)
  const cookiesAt = async (id: string) => await (await page.goto(`${api}/proxy/${id}/cookies`))?.text()
  t.equal(await cookiesAt(container.id), 'own=1; tossed=1; also=1')
  t.equal(await cookiesAt(neighbour.id), 'undefined')
})

await t.test('S8: a container\'s page at its published port reaches nothing of the API', OPTIONS, async (t) => {
  const { api, reached, page } = await createScene(t)
  await page.goto(`${containerUrl}/`)
  t.same(await attack(page, api), [])
  t.same(reached, [])
})

await t.test('a loopback page may call, for local testing', OPTIONS, async (t) => {
  const { api, webPort, reached, page } = await createScene(t)
  await page.goto(`http://localhost:${webPort}/`)
  const answer = await page.evaluate(async (api) => [await (await fetch(`${api}/secret`)).json(), (await fetch(`${api}/act`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).ok], api)
  t.same(answer, [{ secret: 'of the API' }, true])
  t.same(reached, ['read', 'act'])
})

t.end()
