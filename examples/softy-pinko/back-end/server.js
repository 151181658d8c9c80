import { createServer } from 'node:http'
import { hostname } from 'node:os'

const PORT = 5252

const server = createServer(({ method, url }, response) => {
  // Pages of every origin may read what it says.
  response.setHeader('access-control-allow-origin', '*')
  if (url === '/api/health') return response.writeHead(204).end()
  if (url !== '/api/hello' || (method !== 'GET' && method !== 'HEAD')) return response.writeHead(404).end()
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(method === 'HEAD' ? undefined : JSON.stringify({ message: 'Hello, World!', server: hostname() }))
})
server.listen(PORT)

// `docker stop` lets it finish what it has begun.
process.on('SIGTERM', () => {
  server.close(() => { process.exit(0) })
  server.closeIdleConnections()
})
