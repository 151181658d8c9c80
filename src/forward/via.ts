import { DockApiError } from '../errors.ts'

/** The name by which this proxy is known in Via (RFC 9110 7.6.3): a pseudonym, so that no internal host name leaks. */
const PSEUDONYM = 'dockapi'
/** How many dockAPIs a request may pass; one that comes by more often goes in circles. */
const MAX_HOPS = 4

export function appendVia (via: string | undefined, httpVersion: string): string {
  const own = `${httpVersion} ${PSEUDONYM}`
  return via === undefined || via === '' ? own : `${via}, ${own}`
}

/** @throws DockApiError `proxy_loop`. */
export function refuseLoop (via: string | undefined) {
  if (via === undefined) return
  const hops = via.split(',').filter((hop) => hop.trim().split(/\s+/)[1]?.toLowerCase() === PSEUDONYM).length
  if (hops >= MAX_HOPS) throw new DockApiError('proxy_loop', `The request has passed this proxy ${hops} times: the container sends it back.`)
}
