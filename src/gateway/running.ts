import { createDeadline } from '../engine/deadline.ts'

/** The client's side of an upgraded connection. */
export type UpgradedConnection = {
  /** Says goodbye. */
  end (): unknown
  destroy (): unknown
}

/** What runs on each container, so that it can be ended gently: requests first, upgraded connections last. */
export type Running = {
  begin (containerId: string, upgrade: UpgradedConnection | undefined): void
  end (containerId: string, upgrade: UpgradedConnection | undefined): void
  /** Resolves when no request runs on the container; upgraded connections do not count, they may last for ever. */
  whenIdle (containerId: string): Promise<void>
  /** How many upgraded connections it has. */
  upgradesOf (containerId: string): number
  /** Says goodbye to its upgraded connections, and cuts those that are still open after the grace. */
  endUpgrades (containerId: string, graceMs: number, signal?: AbortSignal): Promise<void>
}

/** `requests` counts down to nothing, then the waiting are told; so with the upgrades. */
type Work = { requests: number, readonly upgrades: Set<UpgradedConnection>, waiting: Array<() => void>, waitingForUpgrades: Array<() => void> }

export function createRunning (): Running {
  const works = new Map<string, Work>()

  function begin (id: string, upgrade: UpgradedConnection | undefined) {
    let work = works.get(id)
    if (work === undefined) works.set(id, work = { requests: 0, upgrades: new Set(), waiting: [], waitingForUpgrades: [] })
    if (upgrade === undefined) work.requests++
    else work.upgrades.add(upgrade)
  }

  function end (id: string, upgrade: UpgradedConnection | undefined) {
    const work = works.get(id)
    if (work === undefined) return
    if (upgrade === undefined) work.requests--
    else work.upgrades.delete(upgrade)
    if (work.requests === 0) work.waiting = wake(work.waiting)
    if (work.upgrades.size === 0) work.waitingForUpgrades = wake(work.waitingForUpgrades)
    if (work.requests === 0 && work.upgrades.size === 0) works.delete(id)
  }

  function whenIdle (id: string): Promise<void> {
    const work = works.get(id)
    return work === undefined || work.requests === 0 ? Promise.resolve() : new Promise((resolve) => { work.waiting.push(resolve) })
  }

  async function endUpgrades (id: string, graceMs: number, signal?: AbortSignal) {
    const work = works.get(id)
    if (work === undefined || work.upgrades.size === 0) return
    const over = new Promise<void>((resolve) => { work.waitingForUpgrades.push(resolve) })
    for (const upgrade of [...work.upgrades]) upgrade.end()
    const deadline = createDeadline(graceMs, signal)
    await deadline.race(over).catch(() => {})
    deadline.lift()
    for (const upgrade of [...work.upgrades]) upgrade.destroy()
  }

  return { begin, end, whenIdle, upgradesOf: (id) => works.get(id)?.upgrades.size ?? 0, endUpgrades }
}

function wake (waiting: Array<() => void>): Array<() => void> {
  if (waiting.length === 0) return waiting
  for (const resolve of waiting) resolve()
  return []
}
