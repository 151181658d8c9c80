import { ConfigError } from '../config/load.ts'
import { isLoopback } from '../config/loopback.ts'
import type { Config } from '../config/schema.ts'

type RequirementConfig = Pick<Config, 'auth' | 'host' | 'token'>

const HOW = 'Make a token with dockapi token create NAME --scope admin, or set DOCKAPI_TOKEN to a secret of at least 16 characters'

/** Whether callers need a token. `tokensExist`: whether the store has or had one. */
export function isTokenRequired ({ auth, host, token }: RequirementConfig, tokensExist: boolean): boolean {
  if (auth === 'off') return false
  return auth === 'required' || token !== undefined || tokensExist || !isLoopback(host)
}

/**
 * A reached API is a reached host: a listener that others can connect to needs a token, or `off` said aloud (DESIGN section 7).
 * @throws ConfigError that says what to do.
 */
export function refuseWithoutToken (config: RequirementConfig, tokensExist: boolean): void {
  if (config.token !== undefined || tokensExist || !isTokenRequired(config, tokensExist)) return
  if (config.auth === 'required') throw new ConfigError([`DOCKAPI_AUTH is "required" but there is no token. ${HOW}.`])
  throw new ConfigError([
    `DOCKAPI_HOST is "${config.host}", which other machines can reach, and no token protects the API: whoever reaches it controls this machine's containers. ` +
    `${HOW}, or listen on 127.0.0.1, or say DOCKAPI_AUTH=off if something else guards the port.`
  ])
}
