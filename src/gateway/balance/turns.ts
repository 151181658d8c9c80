/**
 * Whose turn it is, in virtual time: who is served waits for `1 / share` before it is due again, and the one that is due first is served.
 * With equal shares this is a ring: whoever joins waits for one round, whoever leaves changes nobody else's place, and of those that
 * stay no two are more than one turn apart, in any window of turns. With weights the distance is at most one stride of each.
 */
export type Turns = {
  /** When the last turn was due. */
  time: number
  /** Turns and joins so far. */
  count: number
}

/** An upstream's place in the turns of one service. */
export type Turn = {
  /** Of what the others get; more than 0. */
  share: number
  /** When it was last served, or joined. */
  last: number
  /** When it is due, as of the last look. */
  due: number
  /** Its place in `count`: of two that are due at once the one that waited longer is served. */
  order: number
}

/** Beyond this the clock is set back: a double would lose the fractions of heavy weights. */
const MAX_TIME = 2 ** 30

export function createTurns (): Turns {
  return { time: 0, count: 0 }
}

/** The place of someone new: behind everyone. */
export function join (turns: Turns, share: number): Turn {
  return { share, last: turns.time, due: turns.time, order: turns.count++ }
}

/** Sets when it is due. One that was passed over for a while is due now, and makes up for nothing. */
export function look (turns: Turns, turn: Turn, share: number): void {
  turn.share = share
  turn.due = Math.max(turn.last + 1 / share, turns.time)
}

export function isDueBefore (one: Turn, other: Turn): boolean {
  return one.due < other.due || (one.due === other.due && one.order < other.order)
}

/** It is served; `all` are the places of this service. */
export function serve (turns: Turns, turn: Turn, all: readonly Turn[]): void {
  turn.last = turn.due
  turn.order = turns.count++
  if (turn.due > turns.time) turns.time = turn.due
  if (turns.time > MAX_TIME) setBack(turns, all)
}

function setBack (turns: Turns, all: readonly Turn[]) {
  for (const turn of all) turn.last -= turns.time
  turns.time = 0
}
