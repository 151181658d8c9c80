/** The names that a Connection header declares to be for this hop only (RFC 9110 7.6.1), in lower case; `undefined` for none. */
export function nominated (connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()))
}
