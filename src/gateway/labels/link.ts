import type { Declarations, RouteDeclaration, ServiceDeclaration } from './declarations.ts'
import { ownMiddlewares } from './dockapi.ts'
import type { DockapiDeclarations } from './dockapi.ts'
import { quoted } from './problems.ts'
import type { Problems } from './problems.ts'
import { emptyRoute } from './route-options.ts'
import type { RouteDraft } from './route-options.ts'
import { joinServices, serviceOf } from './service-options.ts'
import type { ServiceDraft } from './service-options.ts'
import type { NamedService, TraefikDeclarations } from './traefik.ts'
import type { VirtualHostDeclarations } from './virtual-host.ts'

type Sources = { dockapi: DockapiDeclarations, traefik: TraefikDeclarations, virtual: VirtualHostDeclarations }

/**
 * Leads every route to a service. A container has one main service: its only Traefik service, or one of the name `defaultName`; plain
 * `dockapi.*` labels speak of it, `dockapi.service` names it. Routes that name no service lead there.
 */
export function linkServices (defaultName: string, { dockapi, traefik, virtual }: Sources, problems: Problems): Pick<Declarations, 'main' | 'routes' | 'services'> {
  const only = traefik.services.length === 1 ? traefik.services[0] : undefined
  const name = dockapi.serviceName ?? only?.name ?? freeName(defaultName, traefik.services)
  reportOverruled(dockapi, only, virtual, problems)
  const declared = only === undefined ? virtual.service : joinServices(only.draft, virtual.service)
  const main = joinServices(dockapi.main.service, declared)
  const services = new Map<string, ServiceDeclaration>()
  const routes = new Map<string, RouteDeclaration>()

  const declare = (name: string, draft: ServiceDraft, label: string) => {
    if (!services.has(name)) services.set(name, serviceOf(name, draft, label, problems))
    return name
  }
  const toMain = () => declare(name, main, only?.label ?? 'dockapi.health')
  const add = ({ stripPrefix, needsToken, ...route }: RouteDraft, service: string) => {
    const free = freeName(route.name, [...routes.values()])
    routes.set(free, { ...route, name: free, service })
  }

  for (const { name, draft, label } of traefik.services) if (only === undefined) declare(name, draft, label)
  if (only !== undefined) toMain()
  for (const route of traefikRoutes(traefik)) add(route, serviceOfRouter(route, traefik, toMain, problems))
  for (const route of virtual.routes) {
    const isPool = traefik.services.length === 0 && dockapi.serviceName === undefined
    add(route, isPool ? declare(route.name, main, 'VIRTUAL_HOST') : toMain())
  }
  for (const { route, service, isService } of dockapi.routes) {
    const own = () => declare(freeName(`${name}-${route.name}`, [...services.values()]), joinServices(service, withoutAddress(main)), `dockapi.routes.${route.name}.health`)
    add(withOwn(route), route.service ?? (isService ? own() : toMain()))
  }
  const isNamed = dockapi.serviceName !== undefined
  if (dockapi.main.isRoute || ((dockapi.main.isService || isNamed) && routes.size === 0)) add({ ...withOwn(dockapi.main.route), name }, toMain())
  if (isNamed || (dockapi.main.isService && traefik.services.length > 1)) toMain()
  return { main: mainOf(main, [...services.values()]), routes: [...routes.values()], services: [...services.values()] }
}

/** Traefik makes one route when a container declares none; here it leads to the first service where Traefik makes none of several. */
function traefikRoutes ({ routes, services }: TraefikDeclarations): RouteDraft[] {
  const [first] = services
  return routes.length > 0 || first === undefined ? routes : [emptyRoute(first.name)]
}

function serviceOfRouter ({ name, service }: RouteDraft, { routes, services }: TraefikDeclarations, toMain: () => string, problems: Problems): string {
  const [first] = services
  if (service === undefined) {
    if (first === undefined || services.length === 1) return toMain()
    const names = services.map(({ name }) => name).join(', ')
    problems.add(`traefik.http.routers.${name}.service`, `The container has several services (${names}), and ${routes.length === 0 ? 'no router' : `the router ${quoted(name)} names none`}: it leads to "${first.name}". Write which it should be.`)
    return first.name
  }
  const bare = service.replace(/@docker$/, '').toLowerCase()
  const own = services.find(({ name }) => name.toLowerCase() === bare)
  if (own === undefined) return service
  return services.length === 1 ? toMain() : own.name
}

/** What named routes take over of the container's service: how it is spread and probed, not where it is. */
function withoutAddress ({ url, ...rest }: ServiceDraft): ServiceDraft {
  return rest
}

function withOwn (route: RouteDraft): RouteDraft {
  const { first, last } = ownMiddlewares(route)
  return { ...route, middlewares: [...first.map(({ name }) => name), ...route.middlewares, ...last.map(({ name }) => name)] }
}

function mainOf ({ port, scheme }: ServiceDraft, services: readonly ServiceDeclaration[]): Declarations['main'] {
  const ports = new Set(services.flatMap((service) => service.port === undefined ? [] : [service.port]))
  const chosen = port ?? (ports.size === 1 ? [...ports][0] : undefined)
  return { ...(chosen === undefined ? {} : { port: chosen }), ...(scheme === undefined ? {} : { scheme }) }
}

function freeName (wanted: string, taken: ReadonlyArray<{ name: string }>): string {
  const names = new Set(taken.map(({ name }) => name))
  let free = wanted
  for (let count = 2; names.has(free); count++) free = `${wanted}-${count}`
  return free
}

/** Says which of two that speak of the same thing counts. */
function reportOverruled ({ main }: DockapiDeclarations, only: NamedService | undefined, virtual: VirtualHostDeclarations, problems: Problems): void {
  const sources = [
    { label: (word: string) => `dockapi.${word}`, draft: main.service },
    ...(only === undefined ? [] : [{ label: (word: string) => `traefik.http.services.${only.name}.loadbalancer.server.${word}`, draft: only.draft }]),
    { label: (word: string) => word === 'port' ? 'VIRTUAL_PORT' : 'VIRTUAL_PROTO', draft: virtual.service }
  ]
  for (const word of ['port', 'scheme'] as const) {
    const [first, ...others] = sources.filter(({ draft }) => draft[word] !== undefined)
    for (const { label, draft } of others) {
      if (draft[word] !== first!.draft[word]) problems.add(label(word), `${first!.label(word)} says ${first!.draft[word]}, and that counts.`)
    }
  }
  const { port, scheme } = main.service
  if (only?.draft.url !== undefined && (port ?? scheme) !== undefined) {
    problems.add(`traefik.http.services.${only.name}.loadbalancer.server.url`, `dockapi.${port === undefined ? 'scheme' : 'port'} says where the service is, and that counts.`)
  }
}
