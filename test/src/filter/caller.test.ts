import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { refuseCaller, refuseMore } from '../../../src/filter/caller.ts'

function requestWith (headers: Record<string, string>): IncomingMessage {
  return { headers, rawHeaders: Object.entries(headers).flat() } as Partial<IncomingMessage> as IncomingMessage
}

t.test('addresses and names that nobody outside can own are answered at', async (t) => {
  for (const host of ['127.0.0.1:2375', 'localhost:2375', '[::1]:2375', '192.0.2.7:2375', 'dockerproxy:2375', 'docker', 'host.docker.internal:2375', 'NAS.lan']) {
    t.equal(refuseCaller(requestWith({ host }), ['nas.lan']), undefined, host)
  }
  t.equal(refuseCaller(requestWith({}), []), undefined, 'HTTP/1.0')
  for (const host of ['evil.example.org', 'a.localhost:2375', 'internal.example.org', 'nas.lan', 'user@localhost', '']) t.match(refuseCaller(requestWith({ host }), []), { status: 403 }, host)
})

t.test('web pages are not answered', async (t) => {
  t.match(refuseCaller(requestWith({ host: 'localhost', origin: 'null' }), []), { status: 403, message: /web pages/ })
  t.match(refuseCaller(requestWith({ host: 'localhost', 'sec-fetch-site': 'same-site' }), []), { status: 403 })
})

t.test('a question has neither a body nor an upgrade', async (t) => {
  t.equal(refuseMore(requestWith({ 'content-length': '0' })), undefined)
  for (const headers of [{ 'content-length': '1' }, { 'transfer-encoding': 'chunked' }, { upgrade: 'tcp' }]) t.match(refuseMore(requestWith(headers as Record<string, string>)), { status: 403 })
})
