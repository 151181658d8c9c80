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

export function createRunning (): Running {
  const requests = new Map<string, number>()
  const upgrades = new Map<string, Set<UpgradedConnection>>()
  const whenNoRequest = new Map<string, Array<() => void>>()
  const whenNoUpgrade = new Map<string, Array<() => void>>()

  function begin (id: string, upgrade: UpgradedConnection | undefined) {
    if (upgrade === undefined) requests.set(id, (requests.get(id) ?? 0) + 1)
    else if (!upgrades.get(id)?.add(upgrade)) upgrades.set(id, new Set([upgrade]))
  }

  function end (id: string, upgrade: UpgradedConnection | undefined) {
    if (upgrade === undefined) endRequest(id)
    else endUpgrade(id, upgrade)
  }

  function endRequest (id: string) {
    const left = (requests.get(id) ?? 0) - 1
    if (left > 0) requests.set(id, left)
    else {
      requests.delete(id)
      wake(whenNoRequest, id)
    }
  }

  function endUpgrade (id: string, upgrade: UpgradedConnection) {
    const open = upgrades.get(id)
    open?.delete(upgrade)
    if (open?.size !== 0) return
    upgrades.delete(id)
    wake(whenNoUpgrade, id)
  }

  function whenIdle (id: string): Promise<void> {
    return requests.has(id) ? wait(whenNoRequest, id) : Promise.resolve()
  }

  async function endUpgrades (id: string, graceMs: number, signal?: AbortSignal) {
    if (!upgrades.has(id)) return
    const over = wait(whenNoUpgrade, id)
    for (const upgrade of [...upgrades.get(id)!]) upgrade.end()
    const deadline = createDeadline(graceMs, signal)
    await deadline.race(over).catch(() => {})
    deadline.lift()
    for (const upgrade of [...upgrades.get(id) ?? []]) upgrade.destroy()
  }

  return { begin, end, whenIdle, upgradesOf: (id) => upgrades.get(id)?.size ?? 0, endUpgrades }
}

function wait (waiting: Map<string, Array<() => void>>, id: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  waiting.set(id, [...waiting.get(id) ?? [], resolve])
  return promise
}

function wake (waiting: Map<string, Array<() => void>>, id: string) {
  for (const resolve of waiting.get(id) ?? []) resolve()
  waiting.delete(id)
}
