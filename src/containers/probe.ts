import { request } from 'node:http'
import { connect } from 'node:net'
import type { Upstream } from '../forward/upstream.ts'

/** What one look at the application found; `detail` is for people. */
export type ProbeResult = { isReady: boolean, detail: string }

/** How long one look may take, in milliseconds. */
const PROBE_TIMEOUT_MS = 2_000
/**
 * The engine's port forwarder accepts a connection before it knows whether anything listens inside the container, and
 * closes it a moment later when nothing does (moby docker-proxy). A connection counts once it has lived this long.
 */
const SETTLE_MS = 100

/** GET of the path, ready on 2xx. Redirects are not followed, and the body is not read. */
export function probeHttp (upstream: Upstream, path: string, signal: AbortSignal): Promise<ProbeResult> {
  const { host, port } = upstream
  return new Promise((resolve) => {
    const outgoing = request({ host, port, path, agent: false, signal, timeout: PROBE_TIMEOUT_MS, headers: { host: `${host}:${port}`, 'user-agent': 'dockapi-probe' } }, (response) => {
      const status = response.statusCode ?? 0
      response.destroy()
      resolve({ isReady: status >= 200 && status < 300, detail: `GET ${path} answered ${status}` })
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${PROBE_TIMEOUT_MS / 1000} seconds`)))
    outgoing.on('error', (error) => resolve({ isReady: false, detail: `GET ${path} failed: ${error.message}` }))
    outgoing.end()
  })
}

/** A TCP connection that is still open after a moment, or on which the application speaks first. */
export function probeTcp ({ host, port }: Upstream, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal })
    const settle = (isReady: boolean, detail: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ isReady, detail })
    }
    let timer = setTimeout(() => settle(false, `no TCP connection to port ${port} within ${PROBE_TIMEOUT_MS / 1000} seconds`), PROBE_TIMEOUT_MS)
    socket.on('connect', () => {
      clearTimeout(timer)
      timer = setTimeout(() => settle(true, `TCP connection to port ${port}`), SETTLE_MS)
    })
    socket.on('data', () => settle(true, `TCP connection to port ${port}`))
    socket.on('end', () => settle(false, `port ${port} accepts and closes: nothing listens inside the container`))
    socket.on('error', (error) => settle(false, `no TCP connection to port ${port}: ${error.message}`))
  })
}
