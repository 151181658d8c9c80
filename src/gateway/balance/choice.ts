import { isEjected, shareAfter } from '../health/ejection.ts'
import type { Place, Places } from '../places.ts'
import type { PoolMember } from '../pool-service.ts'
import { strategyOf } from './strategies.ts'
import { look, serve } from './turns.ts'

/** Whether an upstream can be chosen; the lowest rank that there is takes everything. */
const RANK = {
  open: 0,
  /** Its port was not seen open yet. */
  opening: 1,
  /** It failed lately: better tried than a certain 503. */
  ejected: 2,
  never: 3
}

/**
 * The upstream that serves next, and its turn is taken; undefined when none takes requests. When all that are left are ejected, it is
 * the one whose ejection ends first. One pass, no allocation.
 * @param tried Keys of those that failed already.
 */
export function choose<M extends PoolMember> ({ service, list, turns }: Places<M>, now: number, tried?: readonly string[]): Place<M> | undefined {
  const goesBefore = strategyOf(service.settings.strategy)
  let best: Place<M> | undefined
  let bestRank = RANK.never
  for (const place of list) {
    const rank = rankOf(place, now)
    if (rank === RANK.never || rank > bestRank || tried?.includes(place.member.key)) continue
    const { ejection } = place.known
    look(turns, place, place.weight * shareAfter(ejection, now))
    const isBetter = rank < bestRank || (rank === RANK.ejected ? ejection.until < best!.known.ejection.until : goesBefore(place, best!))
    if (!isBetter) continue
    best = place
    bestRank = rank
  }
  if (best !== undefined) serve(turns, best, list)
  return best
}

/** Whether an upstream takes requests of clients that belong to it. */
export function isTaking<M extends PoolMember> (place: Place<M>, now: number): boolean {
  return rankOf(place, now) <= RANK.opening
}

function rankOf<M extends PoolMember> ({ weight, probeKey, probe, isOpen, known: { ejection } }: Place<M>, now: number): number {
  if (weight <= 0) return RANK.never
  if (probeKey !== undefined && probe?.isHealthy !== true) return RANK.never
  if (isEjected(ejection, now)) return RANK.ejected
  return isOpen || probeKey !== undefined ? RANK.open : RANK.opening
}
