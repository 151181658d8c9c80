import { posix, win32 } from 'node:path'
import type { EngineEnvironment } from '../config/schema.ts'
import { DockApiError } from '../errors.ts'
import { parseAddress } from './address.ts'
import { findContext } from './contexts.ts'
import { knownSockets } from './known-sockets.ts'
import { createMachine } from './machine.ts'
import type { Machine } from './machine.ts'

/** Files in PEM of a TLS connection; without a CA the system's own are trusted. */
export type TlsFiles = {
  ca?: string
  cert?: string
  key?: string
  isVerified: boolean
}

/** Where the engine listens, and which rule of the docker CLI named it. */
export type Endpoint = {
  /** The path of a socket or pipe, else `host:port`. */
  address: string
  /** What the user would recognise, such as `unix:///var/run/docker.sock (DOCKER_HOST)`. Holds no secret. */
  description: string
} & (
  | { kind: 'unix' | 'npipe', alternatives: string[] }
  | { kind: 'tcp', host: string, port: number }
  | { kind: 'tls', host: string, port: number, tls: TlsFiles }
  | { kind: 'ssh', host: string, port: number | undefined, user: string | undefined, socket: string | undefined }
)

/**
 * Finds the engine by the rules of the docker CLI: `DOCKER_HOST`, else `DOCKER_CONTEXT`, else the CLI's current context, else the
 * first well-known socket that this user may open, else the first that exists. Dials nothing.
 * @throws DockApiError `engine_unavailable` when a setting is wrong or names files that are missing.
 */
export function resolveEndpoint (environment: EngineEnvironment, machine: Machine = createMachine()): Endpoint {
  if (environment.DOCKER_HOST !== undefined) {
    return endpointAt(environment.DOCKER_HOST, 'DOCKER_HOST', environmentTls(environment, machine), machine)
  }
  const context = findContext(environment, machine)
  if (context !== undefined) {
    const { name, source, host, isTlsVerified, ca, cert, key } = context
    const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
    const isTls = Object.keys(files).length > 0 || !isTlsVerified
    return endpointAt(host, `context "${name}" of ${source}`, isTls ? requirePair({ ...files, isVerified: isTlsVerified }, `The Docker context "${name}"`) : undefined, machine)
  }
  return firstKnownSocket(environment, machine)
}

function endpointAt (value: string, source: string, tls: TlsFiles | undefined, machine: Machine): Endpoint {
  const parsed = parseAddress(value, source, machine.platform)
  switch (parsed.kind) {
    case 'unix':
    case 'npipe':
      return socketEndpoint(parsed.kind, parsed.path, source)
    case 'tcp': {
      const files = tls ?? (parsed.isTls ? { isVerified: true } : undefined)
      const { host, port = files === undefined ? 2375 : 2376 } = parsed
      const address = `${bracket(host)}:${port}`
      const description = `tcp://${address} (${source}${files === undefined ? '' : ', TLS'})`
      return files === undefined ? { kind: 'tcp', host, port, address, description } : { kind: 'tls', host, port, tls: files, address, description }
    }
    case 'ssh': {
      const { host, port, user, socket } = parsed
      const address = `${bracket(host)}:${port ?? 22}`
      const description = `ssh://${user === undefined ? '' : `${user}@`}${bracket(host)}${port === undefined ? '' : `:${port}`}${socket ?? ''} (${source})`
      return { kind: 'ssh', host, port, user, socket, address, description }
    }
  }
}

function socketEndpoint (kind: 'unix' | 'npipe', path: string, source: string, alternatives: string[] = []): Endpoint {
  return { kind, address: path, description: `${kind}://${path} (${source})`, alternatives }
}

function bracket (host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/**
 * `DOCKER_TLS_VERIFY` and `DOCKER_TLS` both mean TLS with verification: unlike the CLI's `DOCKER_TLS`, nothing here turns it off. Only
 * a context that was made with `skip-tls-verify` does.
 */
function environmentTls ({ DOCKER_TLS, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, DOCKER_CONFIG }: EngineEnvironment, machine: Machine): TlsFiles | undefined {
  if (DOCKER_TLS === undefined && DOCKER_TLS_VERIFY === undefined) return undefined
  const path = machine.platform === 'win32' ? win32 : posix
  const folder = DOCKER_CERT_PATH ?? DOCKER_CONFIG ?? path.join(machine.home, '.docker')
  const find = (name: string) => {
    const file = path.join(folder, name)
    return machine.access(file) === 'missing' ? undefined : file
  }
  const [ca, cert, key] = [find('ca.pem'), find('cert.pem'), find('key.pem')]
  if (ca === undefined && DOCKER_CERT_PATH !== undefined) throw missingFile(`DOCKER_CERT_PATH is "${folder}"`, 'ca.pem')
  return requirePair({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), isVerified: true }, `${DOCKER_CERT_PATH === undefined ? 'The certificate folder' : 'DOCKER_CERT_PATH'} is "${folder}"`)
}

/** A client's certificate is of no use without its key, nor the key without the certificate. */
function requirePair (files: TlsFiles, subject: string): TlsFiles {
  if (files.cert !== undefined && files.key === undefined) throw missingFile(subject, 'key.pem')
  if (files.key !== undefined && files.cert === undefined) throw missingFile(subject, 'cert.pem')
  return files
}

function missingFile (subject: string, name: string): DockApiError {
  return new DockApiError('engine_unavailable', `${subject}, but there is no ${name} for it.`,
    { hint: 'TLS needs ca.pem (who signed the engine\'s certificate), and cert.pem with key.pem (who you are) in one folder.' })
}

function firstKnownSocket (environment: EngineEnvironment, machine: Machine): Endpoint {
  const kind = machine.platform === 'win32' ? 'npipe' : 'unix'
  const paths = knownSockets(machine, environment.XDG_RUNTIME_DIR)
  const found = paths.map((path) => ({ path, access: machine.access(path) })).filter(({ access }) => access !== 'missing')
  const best = found.find(({ access }) => access === 'usable') ?? found[0]
  if (best !== undefined) return socketEndpoint(kind, best.path, 'found')
  return socketEndpoint(kind, paths[0]!, 'default', paths.slice(1))
}
