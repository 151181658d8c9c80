/** One address of one container: what the engine reports for that very container, and nothing else is ever dialled. */
export type Upstream = {
  /** Full id of the container. */
  containerId: string
  scheme: 'http' | 'https'
  /** IP address or, for a remote engine, its host name. Never taken from a request. */
  host: string
  port: number
  /** Why this address and port were chosen, for people. */
  reason: string
}

/** The upstream as an origin, `http://127.0.0.1:49153`; IPv6 addresses in brackets. */
export function originOf ({ scheme, host, port }: Upstream): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
