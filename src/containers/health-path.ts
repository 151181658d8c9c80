import { invalidField } from '../errors.ts'

/**
 * Checks the path of a readiness probe. It is put behind the container's own address, so nothing in it may name a host,
 * leave the path, or smuggle a second request line.
 * @throws DockApiError `invalid_request` on `health_path`.
 */
export function checkHealthPath (path: string, where: 'body' | 'query' = 'body'): string {
  const problem = problemOf(path)
  if (problem !== undefined) throw invalidField(where, '/health_path', `"${path}" ${problem}`, 'Write the path only, such as /healthz.')
  return path
}

function problemOf (path: string): string | undefined {
  if (!path.startsWith('/')) return 'must begin with /'
  if (path.startsWith('//')) return 'must not begin with //, which names a host'
  if (!/^[\x21-\x7e]*$/.test(path)) return 'must be printable ASCII without blanks; encode other characters'
  if (/[\\#]/.test(path)) return 'must not contain a backslash or #'
  if (path.split(/[/?]/).some((segment) => /^(\.|%2e){2}$/i.test(segment))) return 'must not contain ".."'
  return undefined
}
