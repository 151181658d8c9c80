import type { Upstream } from '../forward/upstream.ts'
import { UpstreamFailure } from '../forward/upstream-failure.ts'
import { beginRequest, endTrial, isUpstreamsFault, noteAnswer, noteFailure } from './health/ejection.ts'
import type { Place } from './places.ts'
import type { PoolMember } from './pool-service.ts'
import type { Running, UpgradedConnection } from './running.ts'
import type { Traffic } from './traffic.ts'

/** A request's hold on an upstream, from the choice to its end. */
export type Lease<M extends PoolMember = PoolMember> = {
  readonly member: M
  readonly upstream: Upstream
  /** Keys of the members that failed the same request before. */
  readonly tried: readonly string[]
  /** A `Set-Cookie` line that keeps the client with this upstream; undefined when none is needed. */
  readonly setCookie: string | undefined
  /** The answer began; 101 after a switch of protocols. */
  answered (status: number): void
  /** There is no answer. What is the client's doing, or dockAPI's, is not held against the upstream. */
  failed (error: unknown): void
  /** The exchange or the upgraded connection is over. */
  end (): void
}

export type LeaseParts<M extends PoolMember> = {
  place: Place<M>
  /** What is counted of the service. */
  traffic: Traffic
  running: Running
  upgrade: UpgradedConnection | undefined
  setCookie: string | undefined
  tried: readonly string[]
  startedAt: number
  now (): number
}

/** Counts a request from its start to its end, and notes what became of it: the first word counts. */
export function createLease<M extends PoolMember> ({ place, traffic, running, upgrade, setCookie, tried, startedAt, now }: LeaseParts<M>): Lease<M> {
  const { member, upstream, known: { ejection, load } } = place
  // A port that was not seen open yet is expected to refuse.
  const isExpectedToAnswer = place.isOpen || place.probeKey !== undefined
  const isUpgrade = upgrade !== undefined
  const epoch = beginRequest(ejection)
  let isKnown = false
  let hasEnded = false
  traffic.begin(isUpgrade, startedAt)
  load.begin(isUpgrade, startedAt)
  running.begin(member.container.id, upgrade)
  return { member, upstream, tried, setCookie, answered, failed, end }

  function answered (status: number) {
    if (isKnown) return
    isKnown = true
    const time = now()
    traffic.answer(status, time - startedAt, time)
    load.answer(status, time - startedAt, time)
    noteAnswer(ejection, epoch, time)
  }

  function failed (error: unknown) {
    const failure = failureOf(error)
    if (isKnown || failure === undefined || !isUpstreamsFault(failure.kind)) return
    isKnown = true
    if (isExpectedToAnswer && !failure.isStale) noteFailure(ejection, failure.kind, epoch, now())
    traffic.fail()
    load.fail()
  }

  function end () {
    if (hasEnded) return
    hasEnded = true
    endTrial(ejection, epoch)
    traffic.end(isUpgrade)
    load.end(isUpgrade)
    running.end(member.container.id, upgrade)
  }
}

function failureOf (error: unknown): UpstreamFailure | undefined {
  if (error instanceof UpstreamFailure) return error
  return error instanceof Error && error.cause instanceof UpstreamFailure ? error.cause : undefined
}
