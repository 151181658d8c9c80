import { composeName } from '../names.ts'
import type { Declarations, DeclaringContainer } from './declarations.ts'
import { ownMiddlewares, readDockapi } from './dockapi.ts'
import { linkServices } from './link.ts'
import { createPatternCheck } from './patterns.ts'
import { createProblems } from './problems.ts'
import { readTraefik } from './traefik.ts'
import { readVirtualHost } from './virtual-host.ts'

/**
 * What a container declares for the gateway: `dockapi.*` labels, Traefik's, and nginx-proxy's variables, in this order where they speak
 * of the same thing; routes of all three are kept. A pure function of its argument, linear in its size. Labels are untrusted: what is not
 * understood is a problem of the container and never its end, and a middleware that cannot be built keeps its name.
 */
export function readDeclarations (container: DeclaringContainer): Declarations {
  const problems = createProblems()
  const checkPattern = createPatternCheck()
  const dockapi = readDockapi(container.labels, problems)
  const traefik = readTraefik(container.labels, checkPattern, problems)
  const virtual = readVirtualHost(container.environment ?? [], checkPattern, problems)
  const isEnabled = dockapi.isEnabled ?? traefik.isEnabled
  const network = dockapi.network ?? traefik.network
  const { main, routes, services } = linkServices(composeName(container.labels) ?? container.name, { dockapi, traefik, virtual }, problems)
  const own = [dockapi.main, ...dockapi.routes].flatMap(({ route }) => {
    const { first, last } = ownMiddlewares(route)
    return [...first, ...last]
  })
  return {
    isEnabled,
    ...(network === undefined ? {} : { network }),
    ...(dockapi.serviceName === undefined ? {} : { serviceName: dockapi.serviceName }),
    main,
    routes,
    services,
    middlewares: [...own, ...traefik.middlewares, ...virtual.middlewares],
    problems: problems.list()
  }
}

/**
 * The port that a container's labels and variables give to its own name: `dockapi.port`, else that of its only Traefik service, else
 * VIRTUAL_PORT. Undefined when they name none, or several and none of them first.
 */
export function declaredPort (container: DeclaringContainer): number | undefined {
  return readDeclarations(container).main.port
}
