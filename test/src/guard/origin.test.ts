import t from 'tap'
import { createConfiguredOrigins, createOriginRule } from '../../../src/guard/origin.ts'

const isAllowed = createOriginRule(createConfiguredOrigins(['https://tools.example', 'http://intranet:3000/']))

await t.test('loopback pages, configured origins and the API\'s own pages may call', async (t) => {
  for (const origin of ['http://localhost', 'http://localhost:3000', 'https://127.0.0.1:8443', 'http://[::1]:5173', 'https://tools.example', 'http://intranet:3000']) {
    t.equal(isAllowed(origin, 'localhost:8000'), true, origin)
  }
  t.equal(isAllowed('http://nas.lan:8000', 'NAS.lan:8000'), true, 'same host')
})

await t.test('every other origin is foreign', async (t) => {
  for (const origin of [
    'null', '', 'https://evil.test', 'http://app1.localhost', 'http://app1.localhost:8080', 'http://localhost.evil.test', 'http://tools.example', 'https://tools.example:444',
    'https://tools.example.evil.test', 'http://localhost@evil.test', 'http://evil.test/localhost', 'http://localhost:3000/path', 'HTTP://LOCALHOST', 'file://', 'chrome-extension://localhost',
    'http://127.0.0.1.evil.test', 'http://0.0.0.0:8000', 'http://localhost, http://evil.test'
  ]) t.equal(isAllowed(origin, 'localhost:8000'), false, origin)
  t.equal(isAllowed('http://nas.lan:8001', 'nas.lan:8000'), false, 'another port of the same name')
})
