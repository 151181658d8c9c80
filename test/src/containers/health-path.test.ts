import t from 'tap'
import { checkHealthPath } from '../../../src/containers/health-path.ts'

t.test('paths with queries pass as they are', async (t) => {
  for (const path of ['/', '/healthz', '/a/b?c=d&e=%2F', '/a...b', '/..a', '/@me', '/a:b']) t.equal(checkHealthPath(path), path)
})

t.test('S11: what could name another host or request is refused', async (t) => {
  for (const path of ['', 'healthz', '@127.0.0.2/', '//127.0.0.2/', 'http://127.0.0.2/', '/\\127.0.0.2/', '/a b', '/a\r\nX: y', '/é', '/../x', '/a/%2e%2E/b', '/a#b', '/\t']) {
    t.throws(() => checkHealthPath(path), { code: 'invalid_request', fields: [{ pointer: '/health_path' }] }, JSON.stringify(path))
  }
})
