import { posix, win32 } from 'node:path'
import type { EngineEnvironment } from '../config/schema.ts'
import type { RegistryAuth } from '../engine/images.ts'
import type { Machine } from '../engine/machine.ts'

/** What the docker CLI calls its own registry in its config file (docker/cli `registry.IndexServer`). */
const DOCKER_HUB = 'https://index.docker.io/v1/'

type AuthEntry = { auth?: unknown, username?: unknown, password?: unknown, identitytoken?: unknown }

/** Credentials by registry host, as `docker login` left them. */
export type Credentials = Readonly<Record<string, RegistryAuth>>

/**
 * Reads `auths` of the docker CLI's config file, anew each time: a `docker login` counts at once. Credential helpers (`credsStore`,
 * `credHelpers`) are programs, and this server starts none: what they keep is not found. A file that cannot be understood holds none.
 */
export function readCredentials (environment: EngineEnvironment, machine: Machine): Credentials {
  const path = machine.platform === 'win32' ? win32 : posix
  const file = path.join(environment.DOCKER_CONFIG ?? path.join(machine.home, '.docker'), 'config.json')
  const found = Object.entries(readAuths(file, machine)).map(([server, entry]) => [hostOf(server), credentialsOf(server, entry)] as const)
  return Object.fromEntries(found.filter((entry): entry is [string, RegistryAuth] => entry[1] !== undefined))
}

/** The credentials for the registry that a repository's name begins with. */
export function findCredentials (credentials: Credentials, repository: string): RegistryAuth | undefined {
  const host = registryOf(repository)
  return Object.hasOwn(credentials, host) ? credentials[host] : undefined
}

/** The first part of a name is a registry when it has a dot or a port, or is `localhost` (github.com/distribution/reference). */
export function registryOf (repository: string): string {
  const [first = '', ...path] = repository.split('/')
  const isRegistry = path.length > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())
  return isRegistry && first !== 'docker.io' ? first : hostOf(DOCKER_HUB)
}

function readAuths (file: string, machine: Machine): Record<string, AuthEntry | null> {
  try {
    const config = JSON.parse(machine.readText(file) ?? '{}') as { auths?: Record<string, AuthEntry> } | null
    return config?.auths ?? {}
  } catch {
    return {}
  }
}

function credentialsOf (server: string, entry: AuthEntry | null): RegistryAuth | undefined {
  const { auth, identitytoken, username, password } = entry ?? {}
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identitytoken, serveraddress: server }
  if (typeof username === 'string' && typeof password === 'string') return { username, password, serveraddress: server }
  if (typeof auth !== 'string') return undefined
  const [, user, secret] = /^([^:]+):(.*?)\0*$/s.exec(Buffer.from(auth, 'base64').toString()) ?? []
  return user === undefined || secret === undefined ? undefined : { username: user, password: secret, serveraddress: server }
}

/** `https://registry.example.com/v1/` and `registry.example.com` are the same. */
function hostOf (server: string): string {
  return server.replace(/^https?:\/\//, '').split('/', 1)[0]!
}
