import { spawn } from 'node:child_process'
import { Duplex } from 'node:stream'
import type { EngineEnvironment } from '../config/schema.ts'
import type { Endpoint } from './endpoint.ts'

type SshEndpoint = Extract<Endpoint, { kind: 'ssh' }>

/** How long ssh may take to reach the other machine, in seconds. */
const CONNECT_SECONDS = 10
/** How much of what ssh and the remote docker say is kept for the error, in characters. */
const KEPT_TEXT = 2000

/** Why the ssh connection ended, in the words of ssh or of the remote docker. */
export class SshError extends Error {
  readonly code = 'ESSH'
}

/** The arguments after `ssh`. Nothing passes a local shell; the remote shell gets words that need no quoting (`parseAddress`). */
export function sshArguments ({ host, port, user, socket }: SshEndpoint): string[] {
  return [
    '-T', '-o', 'BatchMode=yes', '-o', `ConnectTimeout=${CONNECT_SECONDS}`,
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--', host, 'docker', ...(socket === undefined ? [] : ['--host', `unix://${socket}`]), 'system', 'dial-stdio'
  ]
}

/**
 * One connection to an engine on another machine, as the docker CLI makes it: a child `ssh … docker system dial-stdio`
 * whose input and output are the stream. The user's own ssh configuration, keys and known hosts hold. The child ends with the stream.
 */
export function dialSsh (endpoint: SshEndpoint, environment: EngineEnvironment): Duplex {
  const child = spawn('ssh', sshArguments(endpoint), { stdio: 'pipe', env: childEnvironment(environment), windowsHide: true })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said = (said + text).slice(-KEPT_TEXT) })
  child.stdin.on('error', () => {}) // the end of the child tells why
  child.stdout.on('data', (chunk: Buffer) => { if (!stream.push(chunk)) child.stdout.pause() })
  child.once('error', (error) => stream.destroy(new SshError(`ssh cannot be started: ${error.message}`)))
  child.once('close', (code) => {
    if (code === 0) stream.push(null)
    else stream.destroy(new SshError(lastLines(said) || `ssh ended with code ${code}`))
  })

  const stream = new Duplex({
    read () { child.stdout.resume() },
    write (chunk: Buffer, _encoding, done) { child.stdin.write(chunk, done) },
    final (done) { child.stdin.end(done) },
    destroy (error, done) {
      child.kill()
      done(error)
    }
  })
  return Object.assign(stream, SOCKET_METHODS)
}

/** What node's HTTP agent asks of a socket beyond a stream; pipes have nothing of the kind. */
const SOCKET_METHODS = {
  ref () {},
  unref () {},
  setKeepAlive () {},
  setNoDelay () {},
  setTimeout () {}
}

/** The user's environment, which ssh and its proxy commands may need, without this server's own secrets. */
function childEnvironment (environment: EngineEnvironment): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('DOCKAPI_'))
  const { PATH, SSH_AUTH_SOCK } = environment
  return { ...Object.fromEntries(own), ...(PATH === undefined ? {} : { PATH }), ...(SSH_AUTH_SOCK === undefined ? {} : { SSH_AUTH_SOCK }) }
}

function lastLines (text: string): string {
  return text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '').slice(-2).join(' ').slice(0, 400)
}
