import type { Route } from './route.ts'
import { placesOf } from './rules/places.ts'
import type { Rule } from './rules/rule.ts'
import { whenNamed } from './rules/tiers.ts'

/**
 * Where people can ask a route: a URL for each host that it has, with the path that its rule asks for; of several paths the first.
 * @param port The gateway's.
 */
export function urlsOf ({ rule, hosts }: Pick<Route, 'rule' | 'hosts'>, port: number): string[] {
  return rule === undefined ? [] : hosts.map((host) => `${originAt(host, port)}${pathAt(rule, host)}`)
}

/** `http://<host>:<port>`, without the port that needs no mention. */
export function originAt (host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}${port === 80 ? '' : `:${port}`}`
}

function pathAt (rule: Rule, host: string): string {
  const url = new URL('http://host')
  url.pathname = placesOf(whenNamed(rule, host))[0]!.path
  return url.pathname
}
