export type ListenAddress = { host: string, port: number }

/** Reads `127.0.0.1:2375` or `[::1]:2375`, as the schema of the setting allows them; undefined for `off`. */
export function parseListenAddress (text: string): ListenAddress | undefined {
  if (text === 'off') return undefined
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(colon + 1)) }
}
