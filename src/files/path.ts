import { posix } from 'node:path'
import { invalidField } from '../errors.ts'

/**
 * A path in a container, without the slash at its end and with no `..` in it: what is asked for is what is reached. Links are the engine's to follow, which keeps
 * them within the container.
 * @throws DockApiError `invalid_request` on `path`.
 */
export function checkPath (path: string): string {
  if (!path.startsWith('/')) throw invalidField('query', '/path', `"${path}" does not begin at the root`, 'Write the whole path, such as /etc/hosts.')
  if (path.includes('\0')) throw invalidField('query', '/path', 'has a NUL byte')
  if (path.split('/').includes('..')) throw invalidField('query', '/path', 'has ".." in it', 'Write the path that is meant.')
  const normal = posix.normalize(path)
  return normal === '/' ? normal : normal.replace(/\/$/, '')
}
