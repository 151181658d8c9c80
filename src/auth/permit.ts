import { DockApiError } from '../errors.ts'
import { LABELS } from '../containers/labels.ts'
import type { RunRequest } from '../../schemas/run.ts'
import type { Grant } from './grant.ts'
import { createImageRule } from '../images/image-rule.ts'

/** @throws DockApiError `token_restricted` for an image that the token may not use. */
export function permitImage (grant: Grant, reference: string): void {
  const { images } = grant
  if (images === undefined || createImageRule(images)(reference)) return
  throw restricted(grant, `may use images of ${images.join(', ')}, and "${reference}" is none of these`)
}

/** For what would touch any image: a build runs whatever its Dockerfile says, a prune takes what it finds. @throws DockApiError `token_restricted`. */
export function permitEveryImage (grant: Grant): void {
  if (grant.images !== undefined) throw restricted(grant, `may use images of ${grant.images.join(', ')} only, so it may not do this`)
}

/** @throws DockApiError `token_restricted` for a run that the token may not ask for. */
export function permitRun (grant: Grant, request: Pick<RunRequest, 'image' | 'labels'>): void {
  permitImage(grant, request.image)
  const other = Object.entries(grant.labels ?? {}).find(([name, value]) => (request.labels?.[name] ?? value) !== value)
  if (other !== undefined) throw restricted(grant, `gives its containers the label ${other.join('=')} and no other value`)
}

/** @throws DockApiError `token_restricted` for more memory (bytes) or CPU than the token may give a container. */
export function permitResources (grant: Grant, { memory, cpus }: { memory?: number | undefined, cpus?: number | undefined }): void {
  const { limits = {} } = grant
  if (memory !== undefined && memory > (limits.memory ?? Infinity)) throw restricted(grant, `may give a container ${limits.memory} bytes of memory at most`)
  if (cpus !== undefined && cpus > (limits.cpus ?? Infinity)) throw restricted(grant, `may give a container ${limits.cpus} CPUs at most`)
}

/** What else a request says of a command, in the form of its body or of its query. */
export type CommandContext = { env?: object | undefined, user?: string | undefined, workdir?: string | undefined }

/**
 * Judges a command by its words. What else could change their meaning (the path of programs, another user) is refused along with them.
 * @throws DockApiError `token_restricted`.
 */
export function permitCommand (grant: Grant, words: readonly string[], { env, user, workdir }: CommandContext = {}): void {
  const { commands } = grant
  if (commands === undefined) return
  if (!fitsCommands(grant, words)) {
    throw restricted(grant, `may run commands that begin with ${commands.map((prefix) => `"${prefix.join(' ')}"`).join(', ')}`)
  }
  if (env !== undefined || user !== undefined || workdir !== undefined) throw restricted(grant, 'may run certain commands only, and so without env, user and workdir')
}

/** Whether a command is one that the grant may run, and so may see and end. */
export function fitsCommands ({ commands }: Grant, words: readonly string[]): boolean {
  return commands === undefined || commands.some((prefix) => prefix.every((word, index) => word === words[index]))
}

/** Moving files into a container can put another program where a command is expected. @throws DockApiError `token_restricted`. */
export function permitFiles (grant: Grant): void {
  if (grant.commands !== undefined) throw restricted(grant, 'may run certain commands only, and so move no files')
}

/** The labels of everything that a token makes: they make it visible to the token, tell who made it, and when it goes. */
export function labelsOfGrant ({ owner, labels, limits }: Grant, nowMs: number): Record<string, string> {
  return {
    ...labels,
    ...(owner === undefined ? {} : { [LABELS.owner]: owner }),
    ...(limits?.lifetimeSeconds === undefined ? {} : { [LABELS.expiresAt]: new Date(nowMs + limits.lifetimeSeconds * 1000).toISOString() })
  }
}

export function restricted ({ owner }: Grant, what: string): DockApiError {
  return new DockApiError('token_restricted', `The token "${owner}" ${what}.`)
}
