/** The labels that dockAPI sets and reads. The engine's labels are the primary record of what runs (DESIGN section 3). */
export const LABELS = {
  managed: 'dockapi.managed',
  name: 'dockapi.name',
  containerPort: 'dockapi.container_port',
  enable: 'dockapi.enable',
  port: 'dockapi.port',
  network: 'dockapi.network',
  scheme: 'dockapi.scheme',
  service: 'dockapi.service',
  replicaOf: 'dockapi.replica_of',
  /** Name of the token that ran it. */
  owner: 'dockapi.owner',
  /** RFC 3339 time after which it is removed. */
  expiresAt: 'dockapi.expires_at'
} as const

/** Labels of this prefix cannot be set by a caller, in no case: the gateway reads names without it. */
export const RESERVED_PREFIX = 'dockapi.'

export type Scope = 'managed' | 'all'

/** Whether a container exists for the API: made by it, or opted in by its owner, or the scope is every container. */
export function isInScope (labels: Readonly<Record<string, string>> | null | undefined, scope: Scope): boolean {
  return scope === 'all' || labels?.[LABELS.managed] === 'true' || labels?.[LABELS.enable] === 'true'
}
