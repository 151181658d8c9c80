import type { Middleware as MiddlewareDefinition } from '../../schemas/middlewares.ts'
import type { RoutedContainer } from './routed-container.ts'
import type { MiddlewareReference } from './route.ts'
import { nearest } from './suggest.ts'

/** Middlewares that no label defines, by name. */
export type MiddlewareSources = { readonly api: ReadonlyMap<string, MiddlewareDefinition>, readonly file: ReadonlyMap<string, MiddlewareDefinition> }

/** The middlewares that containers' labels define, by name; the owner's own are looked at first, then the oldest container's. */
export type References = {
  resolve (references: readonly string[], from: From): { references: MiddlewareReference[], problems: string[] }
}

type From = { owner: string, declarer: string | undefined }
type Known = { key: string, definition: MiddlewareDefinition | undefined, problem?: string | undefined }

/** How deep chains of chains may go; a circle ends here too. */
const MAX_DEPTH = 8

export function createReferences (containers: readonly RoutedContainer[], ownerOf: (container: RoutedContainer) => string, { api, file }: MiddlewareSources): References {
  const ownOf = new Map<string, Known>()
  const byOwner = new Map<string, Known>()
  const oldest = new Map<string, Known>()
  for (const container of containers) {
    const owner = ownerOf(container)
    for (const declaration of container.declarations.middlewares) {
      const { name, middleware: definition } = declaration
      const key = `${owner}/${name}`
      const problem = 'problem' in declaration ? declaration.problem : undefined
      const known = { key: `docker/${key}`, definition, problem }
      ownOf.set(`${container.id}/${name}`, { ...known, key: `docker/${container.id}/${name}` })
      if (!byOwner.has(key)) byOwner.set(key, known)
      if (!oldest.has(name)) oldest.set(name, known)
    }
  }

  function find (reference: string, { owner, declarer }: From): Known | undefined {
    const at = reference.lastIndexOf('@')
    const [name, provider] = at === -1 ? [reference, undefined] : [reference.slice(0, at), reference.slice(at + 1)]
    const ofApi = () => stored('api', api, name)
    const ofFile = () => stored('file', file, name)
    const ofDocker = () => byOwner.get(`${owner}/${name}`) ?? oldest.get(name)
    if (provider === 'own') return ownOf.get(`${declarer}/${reference}`)
    if (provider === 'api') return ofApi()
    if (provider === 'file') return ofFile() ?? ofApi()
    if (provider === 'docker' || provider === 'swarm') return ofDocker() ?? ofApi()
    return provider === undefined ? ofDocker() ?? ofApi() ?? ofFile() : undefined
  }

  function resolve (references: readonly string[], from: From) {
    const problems: string[] = []
    const resolved = references.flatMap((reference) => expand(reference, from, 0, problems))
    return { references: resolved, problems }
  }

  function expand (reference: string, from: From, depth: number, problems: string[]): MiddlewareReference[] {
    const known = depth > MAX_DEPTH ? undefined : find(reference, from)
    if (known?.definition === undefined) {
      problems.push(known?.problem ?? missing(reference, depth))
      return [{ reference, key: reference, definition: undefined }]
    }
    const { chain } = known.definition
    if (chain !== undefined) return chain.middlewares.flatMap((link) => expand(link, from, depth + 1, problems))
    return [{ reference, key: known.key, definition: known.definition }]
  }

  function missing (reference: string, depth: number): string {
    if (depth > MAX_DEPTH) return `The middleware "${reference}" is part of a chain that goes deeper than ${MAX_DEPTH}, perhaps in a circle: the route answers 503.`
    const name = reference.replace(/@[^@]*$/, '')
    const suggestion = nearest(name, [...oldest.keys(), ...api.keys(), ...file.keys()])
    return `The middleware "${reference}" is not defined, and without it the route answers 503.${suggestion === undefined ? ` Define it with PUT /middlewares/${name}, in the file of DOCKAPI_MIDDLEWARES_FILE, or by labels.` : ` Did you mean ${suggestion}?`}`
  }

  return { resolve }
}

function stored (provider: string, definitions: ReadonlyMap<string, MiddlewareDefinition>, name: string): Known | undefined {
  const definition = definitions.get(name)
  return definition && { key: `${provider}/${name}`, definition }
}
