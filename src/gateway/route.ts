import type { Middleware as MiddlewareDefinition } from '../../schemas/middlewares.ts'
import type { RouteProvider, UpstreamState } from '../../schemas/routes.ts'
import type { ServiceSettings } from '../../schemas/services.ts'
import type { Rule } from './rules/rule.ts'
import type { Address, RoutedContainer } from './routed-container.ts'

/** What a member is an address of: a container, or a server that the API named. */
export type Subject = Pick<RoutedContainer, 'id' | 'name' | 'labels' | 'status' | 'run' | 'addresses'>

/** One address of a service. */
export type Member = {
  /** Names it in every table: `<container id>:<port>`. */
  readonly key: string
  readonly container: Subject
  readonly port: number | null
  readonly state: UpstreamState
  readonly address: Address | undefined
  readonly weight: number
}

/** A pool of members that serve the same. */
export type Service = {
  /** Names it in every table. */
  readonly key: string
  readonly name: string
  readonly members: readonly Member[]
  readonly settings: ServiceSettings
}

/** A middleware as a route refers to it; without a definition the route answers nothing, since what it was to check is not checked. */
export type MiddlewareReference = { readonly reference: string, readonly key: string, readonly definition: MiddlewareDefinition | undefined }

/** A match and the service that answers there. */
export type Route = {
  /** Names it in the API and in every table: `web@docker`. */
  readonly id: string
  readonly name: string
  readonly provider: RouteProvider
  /** Who claims its hosts; the routes of one owner may share them. */
  readonly owner: string
  readonly ruleText: string
  /** Undefined: nothing of what it claims is left to it. */
  readonly rule: Rule | undefined
  readonly priority: number
  /** Lower wins among equals: the older owner, and what is meant for TLS. */
  readonly rank: number
  /** Lower goes first where nobody names the host: the older owner's. */
  readonly seniority: number
  /** Hosts that it names and has. */
  readonly hosts: readonly string[]
  readonly service: Service
  readonly middlewares: readonly MiddlewareReference[]
  /** It was changed through the API. */
  readonly isOverridden: boolean
  readonly problems: readonly string[]
}

/** A route that can be found: it has a rule. */
export type LiveRoute = Route & { readonly rule: Rule }
