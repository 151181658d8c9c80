import { hasScope } from '../../auth/principal.ts'
import { DockApiError } from '../../errors.ts'
import { heldUpgrade } from '../../forward/held-upgrade.ts'
import type { MiddlewareContext } from './context.ts'
import type { Pass } from './passage.ts'

/**
 * Lets pass whoever shows a token of dockAPI that may read the route's containers; the application never sees it. What runs in its name ends with it.
 * Every other token, good for something else or for nothing, is answered alike.
 */
export function createTokenCheck ({ principalOf }: MiddlewareContext): Pass {
  return ({ request, response, clientAddress, isVisibleTo }) => {
    const principal = principalOf(request.headers.authorization, clientAddress)
    if (principal === undefined || !hasScope(principal, 'read') || !isVisibleTo(principal.grant)) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="dockapi"')
      throw new DockApiError('unauthorized', 'This route asks for a token of dockAPI that may read what is behind it.')
    }
    // An exchange ends with its answer, an upgraded connection with its socket.
    const carrier = heldUpgrade(request)?.socket ?? response
    carrier.once('close', principal.onRevoked(() => { carrier.destroy() }))
    return true
  }
}
