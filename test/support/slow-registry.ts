import { createServer, request as sendRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export type SlowRegistry = {
  host: string
  /** Requests for manifests so far: each pull asks at least once. */
  readonly manifests: number
  /** Answers for layers that are held back now. */
  readonly held: number
  /** Lets the layers go. */
  release (): void
}

/** What trickles out of a layer, so that an engine that no longer wants it notices. */
const TRICKLE_BYTES = 512
const TRICKLE_MS = 20

/** Stands before a registry on a free loopback port and lets layers trickle, until it is told to let them go. */
export async function startSlowRegistry (t: Test, registry: string): Promise<SlowRegistry> {
  const held = new Set<() => void>()
  let isReleased = false
  let manifests = 0

  function hold (answer: IncomingMessage, response: ServerResponse) {
    const trickle = setInterval(() => {
      const chunk = answer.read(TRICKLE_BYTES) as Buffer | null
      if (chunk !== null) response.write(chunk)
    }, TRICKLE_MS)
    const letGo = () => {
      clearInterval(trickle)
      answer.pipe(response)
    }
    held.add(letGo)
    response.once('close', () => {
      clearInterval(trickle)
      held.delete(letGo)
      answer.destroy()
    })
  }

  const server = createServer((request, response) => {
    if (request.url!.includes('/manifests/')) manifests++
    const [hostname, port] = registry.split(':')
    const upstream = sendRequest({ hostname, port, method: request.method, path: request.url, headers: { ...request.headers, host: registry } }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.once('error', () => response.destroy())
      const isLayer = request.method === 'GET' && request.url!.includes('/blobs/') && Number(answer.headers['content-length']) > 100_000
      if (isLayer && !isReleased) hold(answer, response)
      else answer.pipe(response)
    })
    upstream.on('error', () => response.destroy())
    request.pipe(upstream)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))

  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get manifests () { return manifests },
    get held () { return held.size },
    release () {
      isReleased = true
      for (const letGo of held) letGo()
      held.clear()
    }
  }
}
