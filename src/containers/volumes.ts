import { invalidField, DockApiError } from '../errors.ts'
import type { ContainerSpec } from '../engine/containers.ts'

export type Mount = NonNullable<NonNullable<ContainerSpec['HostConfig']>['Mounts']>[number]

const NAMED_VOLUME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
const WINDOWS_DRIVE = /^[A-Za-z]:[\\/]/

/**
 * Reads one entry of `volumes`: `host:container[:ro|rw]` with an absolute host path (Windows drives included) or the name
 * of a volume.
 * @throws DockApiError `invalid_volume` that names the entry.
 */
export function parseVolume (entry: string, index: number): Mount {
  const { source, rest } = splitSource(entry, index)
  const [target, mode, ...extra] = rest.split(':')
  if (target === undefined || !target.startsWith('/')) throw invalidVolume(entry, index, `the container path "${target ?? ''}" must be absolute`)
  if (target.split('/').includes('..')) throw invalidVolume(entry, index, 'the container path must not contain ".."')
  if (extra.length > 0 || (mode !== undefined && mode !== 'ro' && mode !== 'rw')) throw invalidVolume(entry, index, `the mode "${[mode, ...extra].join(':')}" is neither ro nor rw`)
  const type = isHostPath(source) ? 'bind' : 'volume'
  if (type === 'volume' && !NAMED_VOLUME.test(source)) {
    throw invalidVolume(entry, index, `"${source}" is neither an absolute host path nor the name of a volume`)
  }
  return { Type: type, Source: source, Target: target, ReadOnly: mode === 'ro' }
}

function splitSource (entry: string, index: number): { source: string, rest: string } {
  if (/\p{Cc}/u.test(entry)) throw invalidVolume(entry, index, 'it contains control characters')
  const separator = entry.indexOf(':', WINDOWS_DRIVE.test(entry) ? 2 : 0)
  if (separator <= 0) throw invalidVolume(entry, index, 'it must name a source and a container path, with a colon between')
  return { source: entry.slice(0, separator), rest: entry.slice(separator + 1) }
}

function isHostPath (source: string): boolean {
  return source.startsWith('/') || source.startsWith('\\\\') || WINDOWS_DRIVE.test(source)
}

function invalidVolume (entry: string, index: number, message: string): DockApiError {
  const { fields } = invalidField('body', `/volumes/${index}`, message)
  return new DockApiError('invalid_volume', `The volume ${JSON.stringify(entry)} is wrong: ${message}.`, { fields })
}
