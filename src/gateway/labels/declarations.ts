import type { Middleware } from '../../../schemas/middlewares.ts'
import type { ServiceSettings } from '../../../schemas/services.ts'

/** A label or variable that was not understood, or not wholly. What it says is left out; everything else counts. */
export type LabelProblem = {
  label: string
  /** A plain sentence: what was wrong, and how to write it. */
  message: string
  /** The label that was probably meant. */
  suggestion?: string
}

export type RouteDeclaration = {
  /** Unlike that of any other route of this container. */
  name: string
  /** In Traefik's grammar; undefined for the container's default hosts. */
  rule: string | undefined
  priority?: number
  /** A service of this container, or a reference as it is written: `web`, `api@internal`. */
  service: string
  /** References in the order of their work: `auth`, `auth@file`, `auth@docker`; `@own` is a middleware of this very container that no other can name. */
  middlewares: string[]
  isTls: boolean
  entrypoints: string[]
}

export type ServiceDeclaration = {
  /** Containers that declare a service of one name are its pool. */
  name: string
  port?: number
  scheme?: 'http' | 'https'
  /** Reached instead of the container. */
  url?: string
  weight?: number
  settings: ServiceSettings
}

/** A middleware that cannot be built keeps its name, so that a route which needs it is closed rather than open. */
export type MiddlewareDeclaration =
  | { name: string, middleware: Middleware }
  | { name: string, middleware: undefined, problem: string }

/** What a container says about itself to the gateway. */
export type Declarations = {
  /** Undefined when no label speaks of it. */
  isEnabled: boolean | undefined
  network?: string
  /** `dockapi.service`. */
  serviceName?: string
  /** What the container's own name leads to. */
  main: { port?: number, scheme?: 'http' | 'https' }
  routes: RouteDeclaration[]
  services: ServiceDeclaration[]
  middlewares: MiddlewareDeclaration[]
  problems: LabelProblem[]
}

export type DeclaringContainer = {
  name: string
  labels: Readonly<Record<string, string>>
  /** `KEY=value`, as the engine has it. */
  environment?: readonly string[]
}
