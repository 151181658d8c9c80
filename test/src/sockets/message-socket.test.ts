import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { createMessageSocket } from '../../../src/sockets/message-socket.ts'
import type { MessageSocket } from '../../../src/sockets/message-socket.ts'

const LIMITS = { maxMessageBytes: 1024, messages: { perSecond: 100, burst: 100, bytesPerMessage: Infinity } }
const TIMES = { unread: 300, heartbeat: 100, pausedHeartbeat: 50, close: 200 }

async function createPair (t: Test, times: Partial<typeof TIMES> = {}): Promise<{ client: WebSocket, socket: MessageSocket, closed: Promise<unknown> }> {
  const server = createServer()
  const sockets = new WebSocketServer({ noServer: true })
  const { promise, resolve } = Promise.withResolvers<MessageSocket>()
  server.on('upgrade', (request, connection, head) => {
    sockets.handleUpgrade(request, connection, head, (ws) => resolve(createMessageSocket(ws, connection as Socket, LIMITS, { ...TIMES, ...times })))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  client.on('error', () => {})
  t.after(() => {
    client.terminate()
    server.close()
  })
  const socket = await promise
  await once(client, 'open')
  return { client, socket, closed: new Promise<void>((resolve) => socket.once('close', resolve)) }
}

t.test('a client that takes nothing is cut, and the sender is not held for ever', async (t) => {
  const { client, socket, closed } = await createPair(t, { heartbeat: 60_000 })
  client.pause()
  const message = Buffer.alloc(256 * 1024)
  async function fill () {
    for (let count = 0; count < 100; count++) await socket.send(message)
  }
  await fill()
  await closed
  await socket.send('dropped')
})

t.test('a client that answers no ping is cut; one that does stays', async (t) => {
  const { client, closed } = await createPair(t)
  for (let pings = 0; pings < 4; pings++) await once(client, 'ping')
  t.equal(client.readyState, WebSocket.OPEN)
  client.pause()
  await closed
})

t.test('a client that leaves while nothing is read from it is noticed', async (t) => {
  const { client, socket, closed } = await createPair(t, { heartbeat: 60_000 })
  socket.pause()
  for (let count = 0; count < 10; count++) client.send(Buffer.alloc(1000))
  client.terminate()
  await closed
})

t.test('a client that does not answer the goodbye is cut', async (t) => {
  const { client, socket, closed } = await createPair(t, { heartbeat: 60_000 })
  client.pause()
  socket.close(1000, 'é'.repeat(100))
  await closed
  const goodbye = once(client, 'close')
  client.resume()
  const [code, reason] = await goodbye as [number, Buffer]
  t.equal(code, 1000)
  t.equal(reason.toString(), 'é'.repeat(61), 'as many characters as fit')
})
