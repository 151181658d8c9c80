import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Cuts off clients that do not read what they asked for: whose connection has bytes to send and has got rid of none between two looks.
 * A stream that is merely quiet has nothing to send. One timer for all connections, so that a request costs nothing more.
 * @param timeoutMs Between two looks: a client is cut between one and two of these after it stopped.
 * @returns What ends the watch.
 */
export function cutStalledReaders (server: Server, timeoutMs: number): () => void {
  const sent = new Map<Socket, number>()
  server.on('connection', (socket) => {
    sent.set(socket, -1)
    socket.once('close', () => { sent.delete(socket) })
  })

  function look () {
    for (const [socket, before] of sent) {
      const now = socket.writableLength === 0 ? -1 : socket.bytesWritten - socket.writableLength
      if (now !== -1 && now === before) socket.destroy()
      else sent.set(socket, now)
    }
  }
  const timer = setInterval(look, timeoutMs).unref()
  return () => { clearInterval(timer) }
}
