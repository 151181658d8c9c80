import { DockApiError } from '../errors.ts'

/** An engine's address, taken apart. */
export type Address =
  | { kind: 'unix' | 'npipe', path: string }
  | { kind: 'tcp', host: string, port: number | undefined, isTls: boolean }
  | { kind: 'ssh', host: string, port: number | undefined, user: string | undefined, socket: string | undefined }

const HINT = 'Write one of unix:///var/run/docker.sock, tcp://host:2375, ssh://user@host, or on Windows npipe:////./pipe/docker_engine.'
/** A name or an address that no program can take for an option. */
const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9A-Fa-f:]+(?:%[\w.-]+)?)$/
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/
/** Words of a remote shell's command line; nothing here needs quoting. */
const REMOTE_PATH = /^\/[A-Za-z0-9_./@+-]+$/

/**
 * Reads an address as the docker CLI writes it (docker/cli `opts/hosts.go`, `cli/connhelper`), and `http://` and `https://`.
 * @param source Which setting holds it, for the error.
 * @throws DockApiError `engine_unavailable` that names the setting, the value without its credentials, and the right form.
 */
export function parseAddress (value: string, source: string, platform: NodeJS.Platform): Address {
  const refuse = (problem: string, hint = HINT) => new DockApiError('engine_unavailable', `${source} is "${redact(value)}": ${problem}.`, { hint })
  const [, scheme = 'tcp', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*)$/s.exec(value.trim()) ?? []

  switch (scheme.toLowerCase()) {
    case 'unix':
      if (platform === 'win32') throw refuse('unix sockets are not used on Windows', 'Write npipe:////./pipe/docker_engine.')
      if (rest !== '' && !rest.startsWith('/')) throw refuse('the path of a socket begins with a slash', `Write unix:///${rest}, with three slashes.`)
      return { kind: 'unix', path: rest || '/var/run/docker.sock' }
    case 'npipe':
      if (platform !== 'win32') throw refuse('named pipes exist on Windows only', 'Write unix:///var/run/docker.sock.')
      return { kind: 'npipe', path: rest.replaceAll('\\', '/') || '//./pipe/docker_engine' }
    case 'tcp':
    case 'http':
    case 'https':
      if (value.trim().startsWith('/')) throw refuse('this is a path', `Write unix://${value.trim()}.`)
      return { kind: 'tcp', ...parseNetwork(rest, refuse), isTls: scheme.toLowerCase() === 'https' }
    case 'ssh':
      return { kind: 'ssh', ...parseSsh(rest, refuse) }
    default:
      throw refuse(`${scheme}:// is no way to reach an engine`)
  }
}

type Refuse = (problem: string, hint?: string) => DockApiError

function parseNetwork (rest: string, refuse: Refuse) {
  const url = parseUrl(rest === '' ? 'localhost' : rest, refuse)
  if (url.username !== '' || url.password !== '') throw refuse('an engine takes no user name or password')
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') throw refuse('only a host and a port may stand here')
  return { host: hostOf(url, refuse), port: portOf(url) }
}

function parseSsh (rest: string, refuse: Refuse) {
  const hint = 'Write ssh://user@host or ssh://user@host:22.'
  const url = parseUrl(rest, refuse)
  if (url.password !== '') throw refuse('a password may not stand in the address', `${hint} Let ssh-agent or a key file prove who you are.`)
  const user = decodeURIComponent(url.username)
  if (user !== '' && !USER.test(user)) throw refuse('the user is none that ssh could be given safely', hint)
  const socket = ['', '/'].includes(url.pathname) ? undefined : url.pathname
  if (socket !== undefined && !REMOTE_PATH.test(socket)) throw refuse('the path of the remote socket has unusual characters', hint)
  return { host: hostOf(url, refuse), port: portOf(url), user: user === '' ? undefined : user, socket }
}

function parseUrl (rest: string, refuse: Refuse): URL {
  // A scheme that URL has no rules of its own for: it parses, and changes nothing.
  if (!URL.canParse(`engine://${rest}`)) throw refuse('this is no host and port')
  return new URL(`engine://${rest}`)
}

function hostOf (url: URL, refuse: Refuse): string {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (!HOST.test(host)) throw refuse(host === '' ? 'the host is missing' : 'the host is none')
  return host
}

function portOf (url: URL): number | undefined {
  return url.port === '' ? undefined : Number(url.port)
}

/** Credentials are never shown. */
function redact (value: string): string {
  return value.replace(/^([^/]*\/\/)?[^/@]*:[^/]*@/, '$1***@')
}
