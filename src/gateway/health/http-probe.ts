import { request as requestPlain } from 'node:http'
import type { RequestOptions } from 'node:http'
import { request as requestSecure } from 'node:https'
import { isIP } from 'node:net'
import type { ProbeResult } from '../../containers/probe.ts'
import type { Upstream } from '../../forward/upstream.ts'
import type { ActiveHealth } from '../../../schemas/services.ts'

const DEFAULT_TIMEOUT_S = 5

/**
 * Asks an upstream once, on a connection of its own. Only the head of the answer counts: redirects are not followed, the body is not read.
 * Certificates are verified as they are for requests. Never rejects: what is wrong with the settings is what was found.
 */
export function probeUpstream (upstream: Upstream, health: ActiveHealth, signal: AbortSignal): Promise<ProbeResult> {
  const { method = 'GET', path, timeout = DEFAULT_TIMEOUT_S } = health
  const { promise, resolve } = Promise.withResolvers<ProbeResult>()
  let timer: NodeJS.Timeout | undefined
  const settle = (isReady: boolean, detail: string) => {
    clearTimeout(timer)
    resolve({ isReady, detail: `${method} ${path} ${detail}` })
  }
  try {
    const scheme = health.scheme ?? upstream.scheme
    const outgoing = (scheme === 'https' ? requestSecure : requestPlain)({ ...optionsOf(upstream, health, scheme), signal }, ({ statusCode = 0 }) => {
      outgoing.destroy()
      settle(isHealthy(statusCode, health.status), `answered ${statusCode}`)
    })
    timer = setTimeout(() => { outgoing.destroy(new Error(`no answer within ${timeout} seconds`)) }, timeout * 1_000)
    // Whoever answers with a switch of protocols was not asked for one.
    outgoing.on('upgrade', (_answer, socket) => {
      socket.destroy()
      settle(false, 'answered with another protocol')
    })
    outgoing.on('error', (error) => { settle(false, `failed: ${error.message}`) })
    outgoing.on('close', () => { settle(false, 'failed: the connection was closed') })
    outgoing.end()
  } catch (error) {
    settle(false, `cannot be sent: ${(error as Error).message}`)
  }
  return promise
}

function optionsOf ({ host, port }: Upstream, { method = 'GET', path, hostname, headers }: ActiveHealth, scheme: 'http' | 'https'): RequestOptions & { servername?: string } {
  const named = Object.keys(headers ?? {}).find((name) => name.toLowerCase() === 'host')
  const authority = hostname ?? (named === undefined ? `${host.includes(':') ? `[${host}]` : host}:${port}` : headers![named]!)
  const others = Object.fromEntries(Object.entries(headers ?? {}).filter(([name]) => name !== named))
  const name = (hostname ?? host).replace(/:\d+$/, '')
  return {
    host,
    port,
    method,
    path,
    agent: false,
    setHost: false,
    headers: { host: authority, 'user-agent': 'dockapi-probe', ...others },
    ...(scheme === 'https' && isIP(name) === 0 ? { servername: name } : {})
  }
}

function isHealthy (status: number, wanted: number | undefined): boolean {
  return wanted === undefined ? status >= 200 && status < 400 : status === wanted
}
