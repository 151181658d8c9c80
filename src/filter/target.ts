/** The target of a request, read in the one way that leaves nothing to interpret. */
export type Target = {
  /** `/v1.41`, or empty. */
  version: string
  path: string
  query: ReadonlyMap<string, string>
}

/** The longest target that is read, in characters; filters of clients are long. */
const MAX_LENGTH = 8192
/** Names and ids of the engine need no other characters, so nothing that is percent-encoded is a name. */
const PLAIN = /^(?:\/[\w.:@-]+)+$/
const DOTS = /\/\.{1,2}(?=\/|$)/
const VERSION = /^\/v1\.\d{1,3}(?=\/)/

/** @returns A sentence when the target is odd: a client of an engine never sends such a one. */
export function readTarget (url: string): Target | string {
  if (url.length > MAX_LENGTH) return `The request target is longer than ${MAX_LENGTH} characters.`
  const [path = '', search = '', ...rest] = url.split('?')
  if (!PLAIN.test(path) || DOTS.test(path)) {
    return 'The path is not written plainly: no percent-encoding, no empty, "." or ".." segment, no trailing slash, no host before it.'
  }
  if (rest.length > 0) return 'The query has more than one question mark.'
  const query = readQuery(search)
  if (typeof query === 'string') return query
  const version = VERSION.exec(path)?.[0] ?? ''
  return { version, path: path.slice(version.length), query }
}

/** Keys and values as Node reads them; written anew for the engine, so that it reads the same. */
function readQuery (search: string): Map<string, string> | string {
  const query = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(search)) {
    if (query.has(key)) return `The query has ${JSON.stringify(key)} more than once.`
    query.set(key, value)
  }
  return query
}
