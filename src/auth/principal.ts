import { DockApiError } from '../errors.ts'
import type { Scope } from '../../schemas/scopes.ts'
import { UNRESTRICTED } from './grant.ts'
import type { Grant } from './grant.ts'
import { networkOf } from './network.ts'

/** Whom a request is from, and what that one may do. */
export type Principal = {
  readonly name: string
  /** Of a token of the store; undefined for DOCKAPI_TOKEN and for callers who need none. */
  readonly tokenId: string | undefined
  /** `admin` stands for all. */
  readonly scopes: ReadonlySet<Scope>
  readonly grant: Grant
  /**
   * Calls `end` when the token is revoked or expires.
   * @returns What takes it back, for when there is nothing left to end.
   */
  onRevoked (end: () => void): () => void
}

const ADMIN: ReadonlySet<Scope> = new Set(['admin'])

/** Whoever calls while no token is needed. */
export const OPEN: Principal = fixed('open', ADMIN)
/** Who holds DOCKAPI_TOKEN. */
export const OWNER: Principal = fixed('DOCKAPI_TOKEN', ADMIN)
/** Who calls a public route. */
export const NOBODY: Principal = fixed('nobody', new Set())

export function hasScope ({ scopes }: Principal, scope: Scope): boolean {
  return scopes.has(scope) || scopes.has('admin')
}

/** @throws DockApiError `scope_missing` that names what is needed and what there is. */
export function requireScope (principal: Principal, scope: Scope): void {
  if (hasScope(principal, scope)) return
  const owned = [...principal.scopes].join(', ')
  throw new DockApiError('scope_missing', `This needs the scope "${scope}"; the token "${principal.name}" has ${owned}.`, { details: { scope } })
}

/** By what the requests of one caller are counted: its token, else the network that it calls from. */
export function callerOf ({ name, tokenId }: Principal, address: string): string {
  if (tokenId !== undefined) return `token:${tokenId}`
  return name === OWNER.name ? `token:${name}` : `address:${networkOf(address)}`
}

function fixed (name: string, scopes: ReadonlySet<Scope>): Principal {
  return { name, tokenId: undefined, scopes, grant: UNRESTRICTED, onRevoked: () => () => {} }
}
