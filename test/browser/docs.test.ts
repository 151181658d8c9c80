import t from 'tap'
import type { Test } from 'tap'
import { createTestApp } from '../support/app.ts'
import { SKIP_BROWSER, launchBrowser, picture, watchPage } from '../support/browser.ts'

const OPTIONS = { skip: SKIP_BROWSER, timeout: 60_000 }

async function openPage (t: Test, path: string, env: Record<string, string> = {}) {
  const app = await createTestApp(t, env)
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const browser = await launchBrowser(t)
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  const seen = watchPage(page)
  await page.goto(`${origin}${path}`)
  const paths = Object.values(app.swagger().paths ?? {})
  const operationIds = paths.flatMap((item) => Object.values(item as Record<string, { operationId: string }>).map(({ operationId }) => operationId))
  return { page, seen, origin, operationIds }
}

function foreign (requests: string[], origin: string) {
  return requests.filter((url) => !url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url))
}

await t.test('S30: Swagger UI shows every operation and loads nothing from elsewhere', OPTIONS, async (t) => {
  const { page, seen, origin, operationIds } = await openPage(t, '/docs')
  await page.waitForSelector('.opblock')
  t.equal(await page.locator('.opblock').count(), operationIds.length)
  t.equal(await page.title(), 'dockAPI')
  await picture(page, 'docs')
  t.same(foreign(seen.requests, origin), [])
  t.same(seen.errors, [])
})

await t.test('Swagger UI tries an operation out, in the same origin', OPTIONS, async (t) => {
  const { page, seen } = await openPage(t, '/docs#/Health/getLiveness')
  await page.click('.opblock.is-open .execute')
  const answer = await page.waitForSelector('.opblock.is-open .live-responses-table .highlight-code')
  t.match(await answer.textContent(), /"ok": true/)
  await picture(page, 'docs-try-it-out')
  t.same(seen.errors, [])
})

await t.test('S30: ReDoc shows every operation and loads nothing from elsewhere', OPTIONS, async (t) => {
  const { page, seen, origin, operationIds } = await openPage(t, '/redoc')
  for (const operationId of operationIds) await page.waitForSelector(`[id="tag/Health/operation/${operationId}"], [id$="/operation/${operationId}"], [id="operation/${operationId}"]`, { state: 'attached' })
  await picture(page, 'redoc')
  t.same(foreign(seen.requests, origin), [])
  t.same(seen.errors, [])
})

await t.test('ReDoc finds operations by a word', OPTIONS, async (t) => {
  const { page, seen } = await openPage(t, '/redoc')
  await page.fill('input[aria-label="Search"]', 'alive')
  await page.waitForSelector('[data-role="search:results"] [role="menuitem"], [data-role="search:results"] label')
  await picture(page, 'redoc-search')
  t.same(seen.errors, [])
})

await t.test('the type of a problem document leads to its explanation', OPTIONS, async (t) => {
  const { page, seen, origin } = await openPage(t, '/docs/errors#container_not_found')
  t.match(await page.textContent('tr:target'), /container_not_found.*404/)
  await picture(page, 'errors')
  t.same(foreign(seen.requests, origin), [])
  t.same(seen.errors, [])
})
