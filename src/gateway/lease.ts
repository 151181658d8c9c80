import { UpstreamFailure } from '../forward/upstream-failure.ts'
import { beginRequest, endTrial, isUpstreamsFault, noteAnswer, noteFailure } from './health/ejection.ts'
import type { Place } from './places.ts'
import type { Lease, PoolMember } from './pool.ts'
import type { Running, UpgradedConnection } from './running.ts'
import type { Traffic } from './traffic.ts'

export type LeaseParts<M extends PoolMember> = {
  place: Place<M>
  /** What is counted of the service. */
  traffic: Traffic
  running: Running
  upgrade: UpgradedConnection | undefined
  setCookie: string | undefined
  startedAt: number
  now (): number
}

/** Counts a request from its start to its end, and notes what became of it: the first word counts. */
export function createLease<M extends PoolMember> ({ place, traffic, running, upgrade, setCookie, startedAt, now }: LeaseParts<M>): Lease<M> {
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
  return { member, upstream, setCookie, answered, failed, end }

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
