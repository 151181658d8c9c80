import type { RouteOverride, RouteProvider } from '../../schemas/routes.ts'
import type { ServiceSettings } from '../../schemas/services.ts'
import type { Member } from './route.ts'

/** What one container, or one document of the API, asks for. Claims of one key make one route, whose members they bring. */
export type Claim = {
  /** `<owner>/<name>`. */
  readonly key: string
  readonly name: string
  readonly provider: RouteProvider
  readonly owner: string
  /** The container whose own middlewares it may name; undefined for the API's. */
  readonly declarer: string | undefined
  /** A rule as it was written, or the hosts of a name. */
  readonly wanted: { readonly rule: string } | { readonly hosts: readonly string[] }
  readonly priority: number | undefined
  readonly isTls: boolean
  readonly middlewares: readonly string[]
  readonly service: { readonly key: string, readonly name: string, readonly settings: ServiceSettings }
  readonly members: readonly Member[]
  readonly problems: readonly string[]
}

/** A claim as the API changed it. */
export function overrideClaim (claim: Claim, { rule, priority, middlewares, settings }: RouteOverride): Claim {
  return {
    ...claim,
    ...(rule === undefined ? {} : { wanted: { rule } }),
    ...(priority === undefined ? {} : { priority }),
    ...(middlewares === undefined ? {} : { middlewares }),
    ...(settings === undefined ? {} : { service: { ...claim.service, settings: { ...claim.service.settings, ...settings } } })
  }
}
