import t from 'tap'
import { createHostRule, hostNameOf } from '../../../src/guard/host.ts'

await t.test('a loopback listener answers to loopback names and to the configured ones only', async (t) => {
  const isAllowed = createHostRule({ host: '127.0.0.1', allowedHosts: ['NAS.lan', 'box.example:8000'] })
  for (const host of ['localhost', 'LOCALHOST:8000', 'localhost.', '127.0.0.1:1', '127.8.9.1', '[::1]:8000', '[0:0:0:0:0:0:0:1]', 'nas.lan:9', 'box.example', undefined]) {
    t.equal(isAllowed(host), true, `${host}`)
  }
  for (const host of [
    'evil.test', 'evil.test:8000', 'localhost.evil.test', 'app.localhost', '127.0.0.1.evil.test', '127.evil.test', '0.0.0.0:8000', '192.168.1.5', '[::]', '[::2]', '10.0.0.1',
    '', ':8000', 'localhost:8000:1', 'localhost@evil.test', 'evil.test#localhost', 'localhost/x', '[::1', '::1', '[localhost]', 'localhost ', 'a b'
  ]) t.equal(isAllowed(host), false, `${host}`)
})

await t.test('a listener on an address answers to that address', async (t) => {
  const isAllowed = createHostRule({ host: '192.168.1.5', allowedHosts: [] })
  t.equal(isAllowed('192.168.1.5:8000'), true)
  t.equal(isAllowed('192.168.1.6:8000'), false)
})

await t.test('a listener on every address answers to addresses, which cannot be re-pointed, but not to foreign names', async (t) => {
  for (const host of ['0.0.0.0', '::']) {
    const isAllowed = createHostRule({ host, allowedHosts: [] })
    t.equal(isAllowed('172.17.0.2:8000'), true)
    t.equal(isAllowed('[fd00::2]:8000'), true)
    t.equal(isAllowed('evil.test:8000'), false)
  }
})

await t.test('the name is read without case, port, brackets and trailing dot', async (t) => {
  t.equal(hostNameOf('App.Example.:80'), 'app.example')
  t.equal(hostNameOf('[FE80::1]:80'), 'fe80::1')
  t.equal(hostNameOf('a:b'), undefined)
})
