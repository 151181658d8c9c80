import { parseBytes } from '../config/bytes.ts'
import { parseDuration } from '../config/duration.ts'
import { commandWords } from '../containers/command.ts'
import { definedOf } from '../defined.ts'
import { invalidField } from '../errors.ts'
import type { TokenRow } from '../store/tokens.ts'
import type { Scope } from '../../schemas/scopes.ts'
import type { TokenRequest } from '../../schemas/tokens.ts'
import type { Grant, Limits } from './grant.ts'
import { createImageRule } from '../images/image-rule.ts'

/** What is kept of a request for a token: as it was asked for, once it is known to be right. */
export type Rights = Omit<TokenRequest, 'name' | 'expires_in'>

/**
 * Checks what the schema cannot.
 * @returns `expiresAt` in Unix milliseconds.
 * @throws DockApiError `invalid_request` naming the field.
 */
export function rightsOf (request: TokenRequest, nowMs: number): { rights: Rights, expiresAt: number | null } {
  const { name, expires_in: expiresIn, ...rights } = request
  const narrowed = (['labels', 'images', 'limits', 'commands'] as const).find((field) => rights[field] !== undefined)
  if (rights.scopes.includes('admin') && narrowed !== undefined) {
    throw invalidField('body', `/${narrowed}`, 'cannot narrow an admin token, which can make itself a wider one', 'Leave out the scope admin, or what narrows the token.')
  }
  grantOf(name, rights)
  return { rights, expiresAt: expiresIn === undefined ? null : nowMs + secondsOf(expiresIn, '/expires_in') * 1000 }
}

export function readRights ({ name, rights }: TokenRow): { scopes: ReadonlySet<Scope>, grant: Grant } {
  const read = JSON.parse(rights) as Rights
  return { scopes: new Set(read.scopes), grant: grantOf(name, read) }
}

function grantOf (owner: string, { labels, images, limits, commands }: Rights): Grant {
  createImageRule(images)
  return Object.freeze({
    owner,
    ...definedOf({
      labels,
      images,
      limits: limits === undefined ? undefined : limitsOf(limits),
      commands: commands?.map((command, index) => commandWords(command, `/commands/${index}`))
    })
  })
}

function limitsOf ({ containers, memory, cpus, lifetime }: NonNullable<Rights['limits']>): Limits {
  return definedOf({
    containers,
    memory: memory === undefined ? undefined : bytesOf(memory),
    cpus,
    lifetimeSeconds: lifetime === undefined ? undefined : secondsOf(lifetime, '/limits/lifetime')
  })
}

function bytesOf (memory: number | string): number {
  const bytes = typeof memory === 'number' ? memory : parseBytes(memory)
  if (bytes === undefined) throw invalidField('body', '/limits/memory', `"${memory}" is no size`, 'Write bytes, or 512m, 2g.')
  return bytes
}

function secondsOf (text: string, pointer: string): number {
  const seconds = parseDuration(text)
  if (seconds === undefined) throw invalidField('body', pointer, `"${text}" is no length of time`, 'Write 90s, 15m, 12h or 30d.')
  return seconds
}
