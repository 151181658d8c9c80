import t from 'tap'
import { SANDBOX_POLICY, sandboxPolicyFor } from '../../../src/guard/sandbox.ts'

await t.test('the policy gives a container\'s page an origin of its own', async (t) => {
  t.match(SANDBOX_POLICY, /^sandbox /)
  t.notMatch(SANDBOX_POLICY, 'allow-same-origin')
  t.notMatch(SANDBOX_POLICY, 'escape-sandbox')
  t.notMatch(SANDBOX_POLICY, 'top-navigation')
})

await t.test('every answer to a browser is sandboxed, whatever it was fetched for', async (t) => {
  for (const headers of [
    { 'sec-fetch-dest': 'document' }, { 'sec-fetch-dest': 'iframe' }, { 'sec-fetch-mode': 'no-cors' }, { 'sec-fetch-site': 'same-origin' },
    { accept: 'text/html,application/xhtml+xml;q=0.9' }, { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)' }, { origin: 'null' }, { referer: 'http://localhost:8000/proxy/a/' }
  ]) t.equal(sandboxPolicyFor(headers), SANDBOX_POLICY, JSON.stringify(headers))
})

await t.test('scripts and API clients get the container\'s own headers', async (t) => {
  for (const headers of [{}, { accept: '*/*', 'user-agent': 'curl/8.5.0' }, { accept: 'application/json', 'user-agent': 'python-requests/2.32' }]) {
    t.equal(sandboxPolicyFor(headers), undefined, JSON.stringify(headers))
  }
})
