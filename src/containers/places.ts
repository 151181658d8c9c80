import { restricted } from '../auth/permit.ts'
import { LABELS } from './labels.ts'
import type { Containers } from './containers.ts'

const reserved = new WeakMap<object, number>()

/**
 * Takes a place among the containers that a token may have, until the container is made and counts by itself.
 * @returns What gives it back.
 * @throws DockApiError `token_restricted` when there is none left.
 */
export async function takePlace ({ grant, list }: Containers, signal?: AbortSignal): Promise<() => void> {
  const limit = grant.limits?.containers
  if (limit === undefined) return () => {}
  const before = reserved.get(grant) ?? 0
  reserved.set(grant, before + 1)
  const giveBack = () => { reserved.set(grant, reserved.get(grant)! - 1) }
  try {
    const { length } = await list({ label: [`${LABELS.owner}=${grant.owner}`] }, signal)
    if (length + before >= limit) throw restricted(grant, `may have ${limit} containers, and has ${length + before}`)
    return giveBack
  } catch (error) {
    giveBack()
    throw error
  }
}
