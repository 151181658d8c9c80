import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { invalidField } from '../../errors.ts'
import { createAddPrefix } from './add-prefix.ts'
import { createBasicAuth } from './basic-auth.ts'
import { createBuffering } from './buffering.ts'
import { createCompress } from './compress.ts'
import type { MiddlewareContext } from './context.ts'
import { createErrorPages } from './error-pages.ts'
import { createForwardAuth } from './forward-auth.ts'
import { createHeaders } from './headers.ts'
import { createInFlightLimit } from './in-flight-limit.ts'
import { createIpAllowList } from './ip-allow-list.ts'
import type { Pass } from './passage.ts'
import { createRateLimit } from './rate-limit.ts'
import { createRedirectRegex, createRedirectScheme } from './redirect.ts'
import { createReplacePath, createReplacePathRegex } from './replace-path.ts'
import { createStripPrefix, createStripPrefixRegex } from './strip-prefix.ts'
import { createTokenCheck } from './token.ts'

/**
 * What a definition asks for. State, such as who asked how often, belongs to the returned function.
 * @throws DockApiError `invalid_request` for a definition that fits the schema and still means nothing, such as a pattern that is none.
 */
export function createMiddleware (definition: Definition, context: MiddlewareContext): Pass {
  const { strip_prefix: stripPrefix, strip_prefix_regex: stripPrefixRegex, add_prefix: addPrefix, replace_path: replacePath, replace_path_regex: replacePathRegex } = definition
  if (stripPrefix !== undefined) return createStripPrefix(stripPrefix)
  if (stripPrefixRegex !== undefined) return createStripPrefixRegex(stripPrefixRegex)
  if (addPrefix !== undefined) return createAddPrefix(addPrefix)
  if (replacePath !== undefined) return createReplacePath(replacePath)
  if (replacePathRegex !== undefined) return createReplacePathRegex(replacePathRegex)
  if (definition.redirect_scheme !== undefined) return createRedirectScheme(definition.redirect_scheme)
  if (definition.redirect_regex !== undefined) return createRedirectRegex(definition.redirect_regex)
  if (definition.headers !== undefined) return createHeaders(definition.headers)
  if (definition.basic_auth !== undefined) return createBasicAuth(definition.basic_auth, context)
  if (definition.forward_auth !== undefined) return createForwardAuth(definition.forward_auth, context)
  if (definition.token !== undefined) return createTokenCheck(context)
  if (definition.ip_allow_list !== undefined) return createIpAllowList(definition.ip_allow_list)
  if (definition.rate_limit !== undefined) return createRateLimit(definition.rate_limit)
  if (definition.in_flight_req !== undefined) return createInFlightLimit(definition.in_flight_req)
  if (definition.compress !== undefined) return createCompress(definition.compress)
  if (definition.buffering !== undefined) return createBuffering(definition.buffering)
  if (definition.errors !== undefined) return createErrorPages(definition.errors, context)
  if (definition.retry !== undefined || definition.content_type !== undefined) return passAlways
  if (definition.chain !== undefined) throw invalidField('body', '/chain', 'is a list of other middlewares, which has to be resolved before')
  throw invalidField('body', '', 'is no middleware that is known here')
}

function passAlways () {
  return true
}
