import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium'
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** Why browser tests are skipped, or `false`; for the options of a test. */
export const SKIP_BROWSER: string | false = existsSync(EXECUTABLE) ? false : `there is no browser at ${EXECUTABLE}; set CHROMIUM`

/** A real Chromium that ends with the test. Names of the map answer from this machine. */
export async function launchBrowser (t: Test, hostNames: string[] = []): Promise<Browser> {
  const rules = hostNames.map((name) => `MAP ${name} 127.0.0.1`).join(',')
  const browser = await chromium.launch({ executablePath: EXECUTABLE, headless: true, args: [...FLAGS, ...(rules === '' ? [] : [`--host-resolver-rules=${rules}`])] })
  t.after(() => browser.close())
  return browser
}

export type Complaints = { requests: string[], errors: string[] }

/** What a page asks for, and what it complains of: console errors (blocked content among them), exceptions, failed requests. */
export function watchPage (page: Page): Complaints {
  const seen: Complaints = { requests: [], errors: [] }
  page.on('request', (request) => seen.requests.push(request.url()))
  page.on('requestfailed', (request) => seen.errors.push(`${request.url()}: ${request.failure()?.errorText}`))
  page.on('response', (response) => { if (response.status() >= 400) seen.errors.push(`${response.url()}: ${response.status()}`) })
  page.on('console', (message) => { if (message.type() === 'error' || message.type() === 'warning') seen.errors.push(message.text()) })
  page.on('pageerror', (error) => seen.errors.push(error.message))
  return seen
}

const screenshots = process.env.SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'dockapi-pages-'))

/** Leaves a picture for people in the folder that SCREENSHOTS names, else in a temporary one. */
export async function picture (page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(screenshots, `${name}.png`) })
}
