import type { Principal } from '../../auth/principal.ts'
import type { DockApiError } from '../../errors.ts'
import type { Dispatcher } from '../../forward/transport.ts'
import type { Upstream } from '../../forward/upstream.ts'
import type { PasswordChecker } from './password-checker.ts'

/** What middlewares ask of the gateway around them. */
export type GatewayContext = {
  /**
   * Where the server behind the address of a `forward_auth` may be dialled; undefined when it may not. The address stands in a container's label: it is
   * untrusted, and nothing but the upstream that this returns is ever dialled.
   * @param name Of the middleware, which says who declared it.
   */
  resolveAuth (address: URL, name: string, signal: AbortSignal): Promise<Upstream | undefined>
  /** An upstream of the service that has pages for failures; undefined when there is none now. */
  resolveService (service: string, signal: AbortSignal): Promise<Upstream | undefined>
  /** Whose token an `Authorization` header carries. @throws DockApiError `too_many_attempts` when too many wrong ones came from this address. */
  principalOf (authorization: string | undefined, address: string): Principal | undefined
  /** The status that an error of the gateway is answered with. */
  statusOf (error: DockApiError): number
}

/** What one middleware is given. */
export type MiddlewareContext = GatewayContext & {
  /** Its own, as routes refer to it. */
  readonly name: string
  readonly dispatcher: Dispatcher
  readonly passwords: PasswordChecker
  /** How long a server that is asked for permission may take, in milliseconds. */
  readonly authTimeoutMs: number
  /** The same for one that is asked for a page. */
  readonly pageTimeoutMs: number
}
