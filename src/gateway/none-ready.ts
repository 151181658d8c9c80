import { DockApiError } from '../errors.ts'
import type { UpstreamState } from '../../schemas/routes.ts'
import type { PoolMember, PoolService } from './pool-service.ts'

const PROBE_INTERVAL_S = 10

/** Why no upstream of a service takes requests, and when to come again. @param stateOf What is known of a member beyond what the engine tells. */
export function noneReady<M extends PoolMember> (service: PoolService<M>, stateOf: (member: M) => UpstreamState): DockApiError {
  const { name, members, settings } = service
  const [first] = members
  if (first === undefined) return new DockApiError('upstream_not_running', `"${name}" has no container.`, { retryAfterSeconds: 5 })
  const upstreams = members.map((member) => ({ container: member.container.name, state: stateOf(member) }))
  const details = { upstreams }
  const states = new Set(upstreams.map(({ state }) => state))
  if (isOnlyOf(states, ['down', 'paused'])) {
    const what = members.length === 1 ? `The container "${first.container.name}" is ${first.container.status}.` : `None of the ${members.length} containers of "${name}" runs.`
    return new DockApiError('upstream_not_running', what, { retryAfterSeconds: 5, details })
  }
  const unreachable = members.map(({ address }) => address).find((address) => address !== undefined && 'problem' in address)
  if (unreachable !== undefined && 'problem' in unreachable && isOnlyOf(states, ['unreachable', 'down', 'paused'])) {
    const { problem, hint } = unreachable
    return new DockApiError('upstream_failed', problem, { details, ...(hint === undefined ? {} : { hint }) })
  }
  if (members.every(({ weight }) => weight === 0)) {
    return new DockApiError('upstream_not_ready', `Every container of "${name}" has the weight 0, which means no request.`, { retryAfterSeconds: 5, details })
  }
  const retryAfterSeconds = isOnlyOf(states, ['failing']) ? Math.ceil(settings.health?.interval ?? PROBE_INTERVAL_S) : 1
  return new DockApiError('upstream_not_ready', `No container of "${name}" takes requests now: ${[...states].map(explain).join(', ')}.`, { retryAfterSeconds, details })

  function explain (state: UpstreamState): string {
    return state === 'failing' || state === 'probing' ? `${state} (its health path ${settings.health?.path ?? ''} ${state === 'failing' ? 'says that it is not well' : 'has not answered yet'})` : state
  }
}

function isOnlyOf (states: ReadonlySet<UpstreamState>, wanted: readonly UpstreamState[]): boolean {
  return [...states].every((state) => wanted.includes(state))
}
