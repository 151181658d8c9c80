import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createHttp1Transport } from '../../../src/forward/http1-transport.ts'
import type { UpstreamRequest } from '../../../src/forward/transport.ts'

t.test('a connection that ends right behind its answer carries no request that cannot be sent twice', async (t) => {
  let requests = 0
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('data', () => {
      requests++
      // Nothing says that it is the last one.
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const transport = createHttp1Transport()
  t.after(async () => {
    await transport.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo

  /** Resolves in the same turn of the event loop in which the answer is read. */
  function post (): Promise<string> {
    const request: UpstreamRequest = { upstream: { containerId: 'a'.repeat(64), scheme: 'http', host: '127.0.0.1', port, reason: 'the test says so' }, method: 'POST', path: '/', headers: ['Host', 'a'], body: undefined, isUpgrade: false, reuse: 'young' }
    return new Promise((resolve) => {
      transport.dispatch(request, { onInterim () {}, onHead () {}, onData () {}, onSwitch () {}, onEnd () { resolve('answered') }, onFailure ({ kind }) { resolve(kind) } })
    })
  }

  for (let round = 0; round < 50; round++) t.equal(await post(), 'answered')
  t.equal(requests, 50)
})

t.end()
