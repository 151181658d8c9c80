import { DockApiError } from '../errors.ts'
import type { ReadyMember, Route } from './table.ts'

/** A request's hold on a member, from the choice to its end. */
export type Lease = {
  readonly member: ReadyMember
  end (): void
}

/** Spreads requests over the members of each route. What it knows of them outlives every table. */
export type Pool = {
  /**
   * The member whose turn it is.
   * @throws DockApiError `upstream_not_running`, `upstream_not_ready` when none takes requests, saying why and when to come again.
   */
  take (route: Route): Lease
  /** Requests and upgraded connections that a member serves now, by its key. */
  inFlight (key: string): number
}

export function createPool (): Pool {
  const turns = new Map<string, number>()
  const counts = new Map<string, number>()

  function take (route: Route): Lease {
    const { service, ready } = route
    if (ready.length === 0) throw noneReady(route)
    const turn = turns.get(service) ?? 0
    turns.set(service, (turn + 1) % Number.MAX_SAFE_INTEGER)
    return lease(ready[turn % ready.length]!)
  }

  function lease (member: ReadyMember): Lease {
    const { key } = member
    counts.set(key, inFlight(key) + 1)
    let hasEnded = false
    return { member, end }

    function end () {
      if (hasEnded) return
      hasEnded = true
      const left = inFlight(key) - 1
      if (left === 0) counts.delete(key)
      else counts.set(key, left)
    }
  }

  function inFlight (key: string): number {
    return counts.get(key) ?? 0
  }

  return { take, inFlight }
}

function noneReady ({ name, members }: Route): DockApiError {
  const [first] = members
  const details = { upstreams: members.map(({ container, state }) => ({ container: container.name, state })) }
  if (members.every(({ state }) => state === 'down' || state === 'paused')) {
    const what = members.length === 1 ? `The container "${first!.container.name}" is ${first!.container.status}.` : `None of the ${members.length} containers of "${name}" runs.`
    return new DockApiError('upstream_not_running', what, { retryAfterSeconds: 5, details })
  }
  if (first?.state === 'unreachable' && first.address !== undefined && 'problem' in first.address) {
    return new DockApiError('upstream_failed', first.address.problem, { details })
  }
  const states = [...new Set(members.map(({ state }) => state))].join(', ')
  return new DockApiError('upstream_not_ready', `No container of "${name}" takes requests now: ${states}.`, { retryAfterSeconds: 1, details })
}
