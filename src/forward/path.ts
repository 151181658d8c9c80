import { DockApiError } from '../errors.ts'

/** The shortest sign that a path needs a closer look; nearly all have none of these. */
const SUSPECT = /\.\.|%2e|%2f|%5c|\\|^\/\/|:\/\//i

/**
 * The path and query to ask the upstream for: `rawUrl` without `prefix`, not one byte changed.
 *
 * Invariant, on every way to an upstream: the result starts with a slash; and its path, decoded once and with `\` read as `/` as lax
 * servers do, has no `..` segment, does not begin with two slashes and does not begin with a scheme. What is encoded twice is the
 * application's own matter.
 * @param rawUrl The request target in origin-form as received; starts with `prefix`.
 * @param prefix Where the upstream is mounted, without a slash at the end; `''` for the root.
 * @throws DockApiError `invalid_request` naming what is wrong.
 */
export function forwardPath (rawUrl: string, prefix: string): string {
  const target = rawUrl.slice(prefix.length)
  if (!target.startsWith('/')) throw wrong('it has to start with a slash')
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  if (SUSPECT.test(path)) inspect(path)
  return target
}

function inspect (path: string) {
  if (path.includes('\\')) throw wrong('it has a backslash')
  const decoded = path.replaceAll(/%2e/gi, '.').replaceAll(/%2f|%5c/gi, '/')
  if (decoded.split('/').includes('..')) throw wrong('it has a ".." segment, plain or encoded')
  if (decoded.startsWith('//')) throw wrong('it starts with two slashes, like an address of another host')
  if (/^\/[a-z][a-z0-9+.-]*:\/\//i.test(decoded)) throw wrong('it starts with a scheme, like an address of another host')
}

function wrong (what: string): DockApiError {
  return new DockApiError('invalid_request', `The path for the container is refused: ${what}.`, {
    hint: 'Ask for the path as the application knows it, with one leading slash.',
    fields: [{ where: 'path', pointer: '', message: what }]
  })
}
