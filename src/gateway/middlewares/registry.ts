import type { Middleware as Definition } from '../../../schemas/middlewares.ts'
import { DockApiError } from '../../errors.ts'
import { createHttp1Transport } from '../../forward/http1-transport.ts'
import type { Changes } from '../../forward/changes.ts'
import type { GatewayContext, MiddlewareContext } from './context.ts'
import { createMiddleware } from './middleware.ts'
import { createPassage } from './passage.ts'
import type { Pass, PassageParts } from './passage.ts'
import { createPasswordChecker } from './password-checker.ts'

export type Middleware = {
  readonly name: string
  /** Why it cannot do what it is there for; requests are refused then, for it may have been there to refuse them. */
  readonly problem: string | undefined
  readonly pass: Pass
}

/** The middlewares of all routes. What they remember outlives every table: it belongs to a name together with its definition. */
export type MiddlewareRegistry = {
  /** The middleware of this name and definition, the same one as before while it is in use. Never throws: see `problem`. */
  get (name: string, definition: Definition): Middleware
  /** @throws DockApiError `invalid_request` on the field of a definition that fits the schema and still means nothing. */
  check (definition: Definition): void
  /** Forgets those that nobody asked for since the last sweep; to be called when a table has been built. */
  sweep (): void
  /**
   * Sends a request through `middlewares` and, unless one of them answers it, on with `forward`, to which it tells the target to ask for and the changes
   * for the forwarding core. What `forward` throws is thrown on, for the gateway to answer, unless a middleware has a page for it.
   */
  through (middlewares: readonly Middleware[], parts: PassageParts, forward: (target: string, changes: Changes | undefined) => Promise<void>): Promise<void>
  close (): Promise<void>
}

export type RegistryOptions = Partial<Pick<MiddlewareContext, 'authTimeoutMs' | 'pageTimeoutMs'>>

export function createMiddlewareRegistry (gateway: GatewayContext, { authTimeoutMs = 10_000, pageTimeoutMs = 5_000 }: RegistryOptions = {}): MiddlewareRegistry {
  const transport = createHttp1Transport()
  const passwords = createPasswordChecker()
  const context: Omit<MiddlewareContext, 'name'> = { ...gateway, dispatcher: transport, passwords, authTimeoutMs, pageTimeoutMs }
  const known = new Map<string, Middleware>()
  let wanted = new Set<string>()

  function get (name: string, definition: Definition): Middleware {
    const key = JSON.stringify([name, definition])
    wanted.add(key)
    const existing = known.get(key)
    if (existing !== undefined) return existing
    const created = create(name, definition)
    known.set(key, created)
    return created
  }

  function create (name: string, definition: Definition): Middleware {
    try {
      return { name, problem: undefined, pass: createMiddleware(definition, { ...context, name }) }
    } catch (error) {
      const problem = `The middleware "${name}" cannot be used: ${error instanceof Error ? error.message : String(error)}`
      return { name, problem, pass: () => { throw new DockApiError('middleware_broken', problem, { cause: error }) } }
    }
  }

  /** What a chain names is resolved with each route. */
  function check (definition: Definition) {
    if (definition.chain === undefined) createMiddleware(definition, { ...context, name: 'api' })
  }

  function sweep () {
    for (const key of known.keys()) if (!wanted.has(key)) known.delete(key)
    wanted = new Set()
  }

  async function through (middlewares: readonly Middleware[], parts: PassageParts, forward: (target: string, changes: Changes | undefined) => Promise<void>) {
    if (middlewares.length === 0) {
      await forward(parts.target, undefined)
      return
    }
    const passage = createPassage(parts)
    try {
      for (const { pass } of middlewares) {
        const result = pass(passage)
        if (!(typeof result === 'boolean' ? result : await result)) return
      }
      await forward(passage.target, passage.changes())
    } catch (error) {
      const isAnswered = error instanceof DockApiError && error.code !== 'client_gone' && await passage.refuse(gateway.statusOf(error))
      if (!isAnswered) throw error
    }
  }

  async function close () {
    await Promise.all([transport.destroy(), passwords.close()])
  }

  return { get, check, sweep, through, close }
}
