/** What an application behind the gateway does, as a Node module for `--eval`: it tells what it saw and who it is, is slow when asked, and echoes WebSocket text. */
export const APPLICATION = `
import { createServer } from 'node:http'
import { createHash } from 'node:crypto'
const server = createServer((request, response) => {
  const { method, url, headers } = request
  const answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end(method === 'HEAD' ? undefined : JSON.stringify({ method, url, headers, id: process.env.HOSTNAME }))
  if (url === '/redirect') return response.writeHead(302, { location: '/login', 'set-cookie': 'a=1; Path=/; Domain=example.test' }).end()
  if (url.startsWith('/slow/')) return setTimeout(answer, Number(url.slice(6)))
  answer()
}).on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.on('error', () => {}).on('end', () => socket.end())
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.on('data', (frame) => { const bytes = Buffer.from(frame); if ((bytes[0] & 15) === 8) return socket.end(); const mask = bytes.subarray(2, 6); const text = bytes.subarray(6).map((byte, index) => byte ^ mask[index % 4]); socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text])) })
}).listen(8080)
`
