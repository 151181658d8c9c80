import { restricted } from '../auth/permit.ts'
import { listContainers } from '../engine/containers.ts'
import { denied } from '../policy/denial.ts'
import { refuse } from '../policy/policy.ts'
import { LABELS } from './labels.ts'
import type { Containers } from './containers.ts'

/** Places that are taken by containers in the making, by what they count against. */
const reserved = new WeakMap<object, number>()

/**
 * Takes a place among the containers that the server, and that a token, may have, until the container is made and counts by itself.
 * @returns What gives it back.
 * @throws DockApiError `policy_denied`, `token_restricted` when there is none left.
 */
export async function takePlace ({ engine, config, grant, list }: Containers, signal?: AbortSignal): Promise<() => void> {
  const { maxContainers } = config
  const limit = grant.limits?.containers
  const ofServer = async () => (await listContainers(engine, { label: [`${LABELS.managed}=true`] }, { signal })).length
  const ofToken = async () => (await list({ label: [`${LABELS.owner}=${grant.owner}`] }, signal)).length
  const giveBack = await reserve(engine, maxContainers, ofServer, (taken) => {
    refuse(denied('Containers', `dockAPI may have made ${maxContainers} containers, and there are ${taken}`, 'DOCKAPI_MAX_CONTAINERS'))
  })
  try {
    const giveBackOwn = await reserve(grant, limit, ofToken, (taken) => { throw restricted(grant, `may have ${limit} containers, and has ${taken}`) })
    return () => { giveBack(); giveBackOwn() }
  } catch (error) {
    giveBack()
    throw error
  }
}

/** @param refuseAt Throws, told how many are taken. */
async function reserve (key: object, limit: number | undefined, count: () => Promise<number>, refuseAt: (taken: number) => void): Promise<() => void> {
  if (limit === undefined) return () => {}
  const before = reserved.get(key) ?? 0
  reserved.set(key, before + 1)
  const giveBack = () => { reserved.set(key, reserved.get(key)! - 1) }
  try {
    const taken = await count() + before
    if (taken >= limit) refuseAt(taken)
    return giveBack
  } catch (error) {
    giveBack()
    throw error
  }
}
