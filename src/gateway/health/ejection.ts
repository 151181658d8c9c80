import type { FailureKind } from '../../forward/upstream-failure.ts'

/**
 * What requests themselves have told of an upstream. One that cannot be connected to is ejected at once, one that took requests and
 * did not answer after three in a row: 1 s, then 2 s, 4 s and so on up to 30 s. After that one request at a time is its trial; with the
 * first answer it is back, with a tenth of its share at first, and the whole of it after 10 s. All times in milliseconds of one clock.
 */
export type Ejection = {
  /** Failures since the last answer; a failed connection counts for the whole threshold. */
  failures: number
  /** Ejections since it last came back for good. */
  count: number
  /** Grows with every ejection and return: what becomes of a request from before is old news. */
  epoch: number
  /** Ejected until then, and then on trial; 0 while it is not ejected. */
  until: number
  /** Requests under way while it is ejected. */
  trials: number
  /** When it came back. */
  returnedAt: number
}

const THRESHOLD = 3
const FIRST_MS = 1_000
const LONGEST_MS = 30_000
const RETURN_MS = 10_000
const SMALLEST_SHARE = 0.1

/** What each failure counts. */
const WEIGHTS: Readonly<Record<FailureKind, number>> = {
  unreachable: THRESHOLD,
  'connect-timeout': THRESHOLD,
  reset: 1,
  malformed: 1,
  'answer-timeout': 1,
  'client-timeout': 0,
  'request-too-large': 0,
  'answer-too-large': 0,
  aborted: 0
}

export function createEjection (): Ejection {
  return { failures: 0, count: 0, epoch: 0, until: 0, trials: 0, returnedAt: -Infinity }
}

/** Whether it should get no request: neither an ordinary one nor a trial. */
export function isEjected ({ until, trials }: Ejection, now: number): boolean {
  return until !== 0 && (now < until || trials > 0)
}

/** Its part of the share that it has in good times, 0 to 1. */
export function shareAfter ({ count, until, returnedAt }: Ejection, now: number): number {
  if (count === 0 || until !== 0) return 1
  return now - returnedAt >= RETURN_MS ? 1 : Math.max(SMALLEST_SHARE, (now - returnedAt) / RETURN_MS)
}

/** A request begins. @returns Its epoch, for what becomes of it. */
export function beginRequest (ejection: Ejection): number {
  if (ejection.until !== 0) ejection.trials++
  return ejection.epoch
}

/** A request of this epoch is over, or its outcome known. */
export function endTrial (ejection: Ejection, epoch: number): void {
  if (epoch === ejection.epoch && ejection.trials > 0) ejection.trials--
}

/** Whether a failure is the upstream's, and not the client's or our own. */
export function isUpstreamsFault (kind: FailureKind): boolean {
  return WEIGHTS[kind] > 0
}

/** A request of this epoch failed. */
export function noteFailure (ejection: Ejection, kind: FailureKind, epoch: number, now: number): void {
  if (epoch !== ejection.epoch) return
  ejection.failures += WEIGHTS[kind]
  if (isUpstreamsFault(kind) && (ejection.until !== 0 || ejection.failures >= THRESHOLD)) eject(ejection, now)
}

function eject (ejection: Ejection, now: number) {
  ejection.count++
  ejection.epoch++
  ejection.trials = 0
  ejection.until = now + Math.min(FIRST_MS * 2 ** (ejection.count - 1), LONGEST_MS)
}

/** A request of this epoch was answered, whatever the status. */
export function noteAnswer (ejection: Ejection, epoch: number, now: number): void {
  if (epoch !== ejection.epoch) return
  ejection.failures = 0
  if (ejection.until !== 0) {
    ejection.until = 0
    ejection.epoch++
    ejection.trials = 0
    ejection.returnedAt = now
  } else if (ejection.count > 0 && now - ejection.returnedAt >= RETURN_MS) {
    ejection.count = 0
  }
}
