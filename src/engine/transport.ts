import { Agent } from 'node:http'
import { connect, isIP } from 'node:net'
import { readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { EngineEnvironment } from '../config/schema.ts'
import { DockApiError } from '../errors.ts'
import type { Endpoint, TlsFiles } from './endpoint.ts'
import { dialSsh } from './ssh.ts'

/** The sockets to one engine. */
export type Transport = {
  /** Kept alive and bounded: calls that end soon. A thousand callers of a hung engine hold no more sockets than this. */
  calls: Agent
  /** A socket for each, unbounded: open streams never starve calls. */
  streams: Agent
  /** Two sockets of their own, so that health is known when all others are taken. */
  probes: Agent
  /** Closes each socket as soon as it is idle; exchanges in flight go on. Idempotent. */
  retire (): void
}

const MAX_CALL_SOCKETS = 64
/** Each is a process here and a session there; sshd refuses floods of new ones (`MaxStartups`, 10 by default). */
const MAX_SSH_CALL_SOCKETS = 4
/** How soon TCP asks whether a silent peer is still there, in milliseconds. */
const KEEP_ALIVE_MS = 15_000

/** @throws DockApiError `engine_unavailable` when a certificate file cannot be read. Dials nothing yet. */
export function createTransport (endpoint: Endpoint, environment: EngineEnvironment): Transport {
  const dial = createDialer(endpoint, environment)
  const calls = createAgent(dial, { keepAlive: true, maxSockets: endpoint.kind === 'ssh' ? MAX_SSH_CALL_SOCKETS : MAX_CALL_SOCKETS })
  const streams = createAgent(dial, { keepAlive: false })
  const probes = createAgent(dial, { keepAlive: true, maxSockets: 2 })

  function retire () {
    for (const agent of [calls, probes]) {
      for (const socket of Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? [])) socket.destroy()
      agent.on('free', (socket: Duplex) => socket.destroy())
    }
  }
  return { calls, streams, probes, retire }
}

type Dialer = () => Duplex

function createAgent (dial: Dialer, options: { keepAlive: boolean, maxSockets?: number }): Agent {
  const agent = new Agent(options)
  agent.createConnection = dial
  return agent
}

function createDialer (endpoint: Endpoint, environment: EngineEnvironment): Dialer {
  switch (endpoint.kind) {
    case 'unix':
    case 'npipe':
      return () => connect({ path: endpoint.address })
    case 'tcp':
      return () => connect({ host: endpoint.host, port: endpoint.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS })
    case 'tls': {
      const { host, port, tls } = endpoint
      const material = readMaterial(tls)
      const name = isIP(host) === 0 ? { servername: host } : {}
      return () => {
        const socket = connectTls({ host, port, ...name, ...material, rejectUnauthorized: tls.isVerified, ALPNProtocols: ['http/1.1'] })
        return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS)
      }
    }
    case 'ssh':
      return () => dialSsh(endpoint, environment)
  }
}

function readMaterial ({ ca, cert, key }: TlsFiles) {
  return { ...(ca && { ca: read(ca) }), ...(cert && { cert: read(cert) }), ...(key && { key: read(key) }) }
}

function read (file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new DockApiError('engine_unavailable', `The certificate file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`,
      { hint: 'Let this user read the file.', cause: error })
  }
}
