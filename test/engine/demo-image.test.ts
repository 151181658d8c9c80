import t from 'tap'
import { buildDemoImage } from '../../scripts/demo-image.ts'
import { createTestEngine, startTestContainer } from '../support/engine.ts'
import { waitForAnswer } from '../support/http.ts'

await t.test('the demo image is built without a registry and serves its page', async (t) => {
  const engine = createTestEngine(t)
  const image = await buildDemoImage(engine, () => {}, AbortSignal.timeout(120_000))
  const { id, hostPort } = await startTestContainer(engine, { image, port: 8080 })
  const origin = `http://127.0.0.1:${hostPort}`
  await waitForAnswer(`${origin}/healthz`)

  await t.test('a page for people, with its style beside it', async (t) => {
    const page = await fetch(origin)
    const text = await page.text()
    t.match(page.headers.get('content-type'), /^text\/html/)
    t.match(text, `<title>Hello from ${id.slice(0, 12)}</title>`)
    t.match(text, 'reached directly')
    const links = [...text.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link!)
    t.ok(links.length > 0)
    t.same(links.filter((link) => /^(\/|\w+:)/.test(link)), [], 'every link is relative, so that the page works below any path')
    for (const link of links) t.equal((await fetch(new URL(link, `${origin}/`))).status, 200, link)
  })

  await t.test('headers are shown, and markup in them is not markup', async (t) => {
    const text = await (await fetch(origin, { headers: { 'x-forwarded-for': '127.0.0.1', 'x-odd': '<b>"&' } })).text()
    t.match(text, 'through the dockAPI proxy')
    t.match(text, '<td>&lt;b&gt;&quot;&amp;</td>')
  })

  await t.test('the same as JSON', async (t) => {
    const answer = await fetch(`${origin}/cgi-bin/request?a=%22`, { headers: { 'x-odd': '"\\' } })
    t.match(await answer.json(), { hostname: id.slice(0, 12), method: 'GET', path: '/cgi-bin/request?a=%22', headers: { 'x-odd': '"\\' } })
  })

  await t.test('it does not run as root', async (t) => {
    const { Config } = await engine.call('inspect', (docker) => docker.getContainer(id).inspect())
    t.equal(Config.User, '65534:65534')
  })
})
