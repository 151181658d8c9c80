import type { STRATEGIES } from '../../../schemas/services.ts'
import { isDueBefore } from './turns.ts'
import type { Turn } from './turns.ts'

/** What a choice between upstreams is made by. */
export type Candidate = Turn & {
  /** Requests and upgraded connections that it serves now, of every service that it belongs to. */
  readonly load: { readonly inFlight: number }
}

/** Whether `one` is chosen rather than `other`. */
export type Strategy = (one: Candidate, other: Candidate) => boolean

const BY_NAME: Readonly<Record<(typeof STRATEGIES)[number], Strategy>> = { round_robin: isDueBefore, least_connections: isLessLoaded }

/** Round robin when nothing else is asked for. */
export function strategyOf (name: (typeof STRATEGIES)[number] = 'round_robin'): Strategy {
  return BY_NAME[name]
}

/** Fewer requests for its share; of equals the one whose turn it is. */
function isLessLoaded (one: Candidate, other: Candidate): boolean {
  const difference = one.load.inFlight * other.share - other.load.inFlight * one.share
  return difference < 0 || (difference === 0 && isDueBefore(one, other))
}
