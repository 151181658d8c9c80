import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** A small answer at the least cost, so that the load machine is not the limit. Prints its port. */
const body = 'x'.repeat(128)
const answer = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: bench\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
const END = Buffer.from('\r\n\r\n')

const server = createServer({ noDelay: true }, (socket) => {
  let pending = Buffer.alloc(0)
  socket.on('error', () => { socket.destroy() })
  socket.on('data', (bytes) => {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes])
    for (let end = pending.indexOf(END); end !== -1; end = pending.indexOf(END)) {
      pending = pending.subarray(end + END.length)
      socket.write(answer)
    }
  })
})
server.listen(0, '127.0.0.1', () => { console.log((server.address() as AddressInfo).port) })
