import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { Engine } from '../../src/engine/engine.ts'
import { freePort } from './free-port.ts'
import { HAPROXY } from './haproxy-image.ts'
import { until } from './until.ts'

/** The socket proxy of `examples/compose` before the engine; it listens only while it was started. */
export type SocketProxy = {
  /** For `DOCKER_HOST`. */
  host: string
  /** With only these switches on. */
  start (switches: readonly string[]): Promise<void>
  stop (): Promise<void>
}

const CONFIGURATION = fileURLToPath(new URL('../../examples/compose/socket-proxy.cfg', import.meta.url))
const EVERY_SWITCH = ['PING', 'VERSION', 'EVENTS', 'CONTAINERS', 'NETWORKS', 'IMAGES', 'VOLUMES', 'INFO', 'SYSTEM', 'EXEC', 'BUILD', 'POST']

/** Stopped when the test ends. */
export async function createSocketProxy (t: Test, engine: Engine): Promise<SocketProxy> {
  const port = await freePort()
  let end = async () => {}

  async function start (switches: readonly string[]) {
    const env = Object.fromEntries(EVERY_SWITCH.map((name) => [name, switches.includes(name) ? '1' : '0']))
    const child = spawn(HAPROXY!, ['-db', '-f', CONFIGURATION], { env: { ...env, ENGINE_SOCKET: engine.endpoint.address, LISTEN: `127.0.0.1:${port}` }, stdio: 'ignore' })
    end = async () => {
      end = async () => {}
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await until(() => isOpen(port))
  }

  const stop = () => end()
  t.after(stop)
  return { host: `tcp://127.0.0.1:${port}`, start, stop }
}

function isOpen (port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); resolve(true) }).once('error', () => resolve(false))
  })
}
