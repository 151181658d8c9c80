import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { buildImage } from '../../scripts/images.ts'
import { createTestApp, listenTestApp } from '../support/app.ts'
import { SKIP_BROWSER, launchBrowser } from '../support/browser.ts'
import { busyboxImage, createTestEngine, TEST_LABEL, TEST_RUN } from '../support/engine.ts'

const OPTIONS = { skip: SKIP_BROWSER, timeout: 60_000 }
const LINES = ['[init] pulling image...', '[init] creating container...', '[init] starting container...', '[info] server listening on port 3000']

const engine = createTestEngine(t)
const image = `app-${randomUUID().slice(0, 8)}:18`
const start = JSON.stringify(['sh', '-c', `echo '${LINES[3]}'`])
await buildImage(engine, image, [{ path: 'Dockerfile', content: `FROM ${await busyboxImage(engine)}\nLABEL ${TEST_LABEL}=${TEST_RUN}\nCMD ${start}\n` }])

/** What the pages do: plain JavaScript, as a front-end has it. */
const CREATE = (url: string, name: string) => `fetch('${url}/api/containers', { method: 'POST', body: JSON.stringify({ image: '${image}', name: '${name}' }) }).then((response) => response.json())`
const LISTEN = (id: string) => `new Promise((resolve) => {
  const lines = []
  const log = new EventSource('/api/containers/${id}/logs')
  log.onmessage = ({ data }) => lines.push(data)
  log.addEventListener('end', () => { lines.push('end') })
  // Not closed: it comes back once, and is told to stay away.
  log.onerror = () => { if (log.readyState === EventSource.CLOSED) resolve(lines) }
})`

t.test('a page of the API\'s own origin makes a container without a content type and hears it from its first moment to its end', OPTIONS, async (t) => {
  const { url } = await listenTestApp(t)
  const page = await (await launchBrowser(t)).newPage()
  await page.goto(`${url}/docs/`)
  const name = `app-${randomUUID().slice(0, 8)}`
  const created = await page.evaluate(CREATE('', name)) as { id: string }
  t.match(created, { id: /^[0-9a-f]{12}$/, name, status: 'initializing', logs: LINES.slice(0, 2) })
  t.same(await page.evaluate(LISTEN(created.id)), [...LINES, 'end'])
  const { containers } = await page.evaluate('fetch(\'/api/containers\').then((response) => response.json())') as { containers: Array<{ id: string, status: string }> }
  t.match(containers.find(({ id }) => id === created.id), { status: 'exited' })
  t.same(await page.evaluate(`fetch('/api/containers/${created.id}', { method: 'DELETE' }).then((response) => response.json())`), { success: true, id: created.id })
})

t.test('a page of another origin cannot, though it need not ask before it sends', OPTIONS, async (t) => {
  const app = await createTestApp(t, { DOCKAPI_SCOPE: 'all' })
  // The browser tells the page nothing of the answer, nor the test.
  const answered: Array<[string | undefined, number]> = []
  app.addHook('onResponse', async (request, reply) => { if (request.method === 'POST') answered.push([request.headers['content-type'], reply.statusCode]) })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const web = createServer((_request, response) => { response.setHeader('content-type', 'text/html').end('<!doctype html><title>other</title>') }).listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.after(() => {
    web.closeAllConnections()
    web.close()
  })
  const { port } = web.address() as AddressInfo
  const page = await (await launchBrowser(t, ['evil.test'])).newPage()
  const name = `app-${randomUUID().slice(0, 8)}`
  for (const origin of [`http://127.0.0.1:${port}`, `http://evil.test:${port}`]) {
    await page.goto(origin)
    await page.evaluate(`fetch('${url}/api/containers', { method: 'POST', mode: 'no-cors', body: JSON.stringify({ image: '${image}', name: '${name}' }) }).catch(() => {})`)
  }
  t.same(answered, [['text/plain;charset=UTF-8', 415], ['text/plain;charset=UTF-8', 403]])
  const { containers } = await (await fetch(`${url}/api/containers`)).json() as { containers: Array<{ name: string }> }
  t.notOk(containers.some((container) => container.name === name))
})

t.end()
