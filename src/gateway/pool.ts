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
  take (route: Route, isUpgrade: boolean): Lease
  /** Another member than the one that failed; undefined when there is none. */
  takeOther (route: Route, failedKey: string, isUpgrade: boolean): Lease | undefined
  /** Requests and upgraded connections that a member serves now, by its key. */
  inFlight (key: string): number
  /** Resolves when no request runs on any port of the container; upgraded connections do not count, they may last for ever. */
  whenIdle (containerId: string): Promise<void>
}

export function createPool (): Pool {
  const turns = new Map<string, number>()
  const counts = new Map<string, number>()

  const requests = new Map<string, number>()
  const waiting = new Map<string, Array<() => void>>()

  function take (route: Route, isUpgrade: boolean): Lease {
    if (route.ready.length === 0) throw noneReady(route)
    return lease(nextOf(route.service, route.ready), isUpgrade)
  }

  function takeOther ({ service, ready }: Route, failedKey: string, isUpgrade: boolean): Lease | undefined {
    const others = ready.filter(({ key }) => key !== failedKey)
    return others.length === 0 ? undefined : lease(nextOf(service, others), isUpgrade)
  }

  function nextOf (service: string, members: readonly ReadyMember[]): ReadyMember {
    const turn = turns.get(service) ?? 0
    turns.set(service, (turn + 1) % Number.MAX_SAFE_INTEGER)
    return members[turn % members.length]!
  }

  function lease (member: ReadyMember, isUpgrade: boolean): Lease {
    const { key, container: { id } } = member
    count(counts, key, 1)
    if (!isUpgrade) count(requests, id, 1)
    let hasEnded = false
    return { member, end }

    function end () {
      if (hasEnded) return
      hasEnded = true
      count(counts, key, -1)
      if (!isUpgrade && count(requests, id, -1) === 0) wake(id)
    }
  }

  function wake (id: string) {
    for (const resolve of waiting.get(id) ?? []) resolve()
    waiting.delete(id)
  }

  function whenIdle (id: string): Promise<void> {
    if (!requests.has(id)) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.set(id, [...waiting.get(id) ?? [], resolve])
    return promise
  }

  return { take, takeOther, inFlight: (key) => counts.get(key) ?? 0, whenIdle }
}

/** @returns The new count; zero is not kept. */
function count (counts: Map<string, number>, key: string, change: number): number {
  const next = (counts.get(key) ?? 0) + change
  if (next === 0) counts.delete(key)
  else counts.set(key, next)
  return next
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
