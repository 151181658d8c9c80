import Fastify from 'fastify'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import t from 'tap'
import { SERVER_OPTIONS } from '../../src/app.ts'
import shutdown from '../../plugins/shutdown.ts'

/** More than the sockets between can hold. */
const LARGE = Buffer.alloc(64 * 1024 ** 2)

t.test('a client that does not read its answer does not hold the shutdown', async (t) => {
  const app = Fastify(SERVER_OPTIONS)
  await app.register(shutdown, { graceMs: 200 })
  app.get('/large', async () => LARGE)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  t.after(() => { socket.destroy() })
  socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'readable')
  await app.close()
  t.pass('it has ended')
})
