import { DockApiError } from '../errors.ts'
import type { ErrorCode } from '../error-codes.ts'
import type { Principal } from '../auth/principal.ts'
import type { Config } from '../config/schema.ts'

/** What lasts, and so is bounded in number: each kind with its setting and its code. */
export const SLOT_KINDS = {
  streams: { setting: 'maxStreams', variable: 'DOCKAPI_MAX_STREAMS', code: 'too_many_streams', what: 'streams and transfers' },
  execs: { setting: 'maxExecs', variable: 'DOCKAPI_MAX_EXECS', code: 'too_many_execs', what: 'commands' },
  pulls: { setting: 'maxPulls', variable: 'DOCKAPI_MAX_PULLS', code: 'too_many_pulls', what: 'pulls' },
  builds: { setting: 'maxBuilds', variable: 'DOCKAPI_MAX_BUILDS', code: 'too_many_builds', what: 'builds' },
  waits: { setting: 'maxWaits', variable: 'DOCKAPI_MAX_WAITS', code: 'too_many_waits', what: 'waiting requests' }
} as const satisfies Record<string, { setting: keyof Config, variable: string, code: ErrorCode, what: string }>

export type SlotKind = keyof typeof SLOT_KINDS

export type SlotLimits = Pick<Config, typeof SLOT_KINDS[SlotKind]['setting']>

/** Places for requests that last. */
export type Slots = {
  /**
   * Takes a place. A token of the store gets half of them at most, so that it leaves some to others; DOCKAPI_TOKEN is the owner's.
   * @returns What gives the place back; idempotent.
   * @throws DockApiError the code of the kind, naming the setting.
   */
  take (kind: SlotKind, principal: Pick<Principal, 'name' | 'tokenId'>): () => void
}

const RETRY_AFTER_SECONDS = 5

export function createSlots (limits: SlotLimits): Slots {
  const taken = new Map<string, number>()

  function add (key: string, difference: 1 | -1) {
    const count = (taken.get(key) ?? 0) + difference
    if (count === 0) taken.delete(key)
    else taken.set(key, count)
  }

  function take (kind: SlotKind, { name, tokenId }: Pick<Principal, 'name' | 'tokenId'>) {
    const { setting, variable, code, what } = SLOT_KINDS[kind]
    const limit = limits[setting]
    const share = Math.ceil(limit / 2)
    const own = `${kind} ${tokenId}`
    if ((taken.get(kind) ?? 0) >= limit) throw tooMany(code, `There are ${limit} ${what} already (${variable}).`)
    if (tokenId !== undefined && (taken.get(own) ?? 0) >= share) throw tooMany(code, `The token "${name}" has ${share} ${what} already, and one token gets no more than half of ${limit} (${variable}).`)
    const keys = tokenId === undefined ? [kind] : [kind, own]
    for (const key of keys) add(key, 1)
    let isFree = false
    return () => {
      if (isFree) return
      isFree = true
      for (const key of keys) add(key, -1)
    }
  }

  return { take }
}

function tooMany (code: ErrorCode, message: string): DockApiError {
  return new DockApiError(code, message, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}
