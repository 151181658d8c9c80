import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { listenTestApp } from '../support/app.ts'
import { until } from '../support/until.ts'

t.test('what the gateway has begun is answered when the server ends, and nobody new is let in', async (t) => {
  const { app } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0' })
  const answer = Promise.withResolvers<void>()
  const upstream = createServer((_request, response) => { answer.promise.then(() => response.end('whole'), t.threw) }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  t.after(() => { upstream.close() })
  const { port } = upstream.address() as AddressInfo
  const url = `http://127.0.0.1:${app.gateway.port}/`
  app.gateway.settings.put('route', 'slow', { name: 'slow', rule: 'Host(`127.0.0.1`)', upstreams: [{ url: `http://127.0.0.1:${port}` }] }, 'slow')

  const begun = [1, 2, 3].map(() => fetch(url))
  await until(() => new Promise((resolve) => { upstream.getConnections((_error, count) => { resolve(count === begun.length) }) }))
  const closing = app.close()
  await until(() => app.gateway.port === undefined)
  await t.rejects(fetch(url), 'the listener is gone at once')
  setTimeout(answer.resolve, 100)
  for (const response of await Promise.all(begun)) t.equal(await response.text(), 'whole')
  await closing
})
