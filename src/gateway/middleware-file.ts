import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { Stats } from 'node:fs'
import { Value } from '@sinclair/typebox/value'
import { parse } from 'yaml'
import { MiddlewareSchema } from '../../schemas/middlewares.ts'
import type { Middleware } from '../../schemas/middlewares.ts'
import { readDeclarations } from './labels/read.ts'

/** The middlewares of a file, kept up to date. What cannot be read is reported, and what was read before stays. */
export type MiddlewareFile = {
  readonly middlewares: ReadonlyMap<string, Middleware>
  close (): void
}

export type MiddlewareFileOptions = {
  onChange (): void
  onProblem (problem: string): void
}

/** How often the file is looked at, in milliseconds: by its time, which works on every file system and through bind mounts. */
const POLL_MS = 2_000

/**
 * @param path YAML or JSON: Traefik's dynamic configuration (`http.middlewares`, camelCase), or `middlewares` with the API's definitions.
 * Undefined: no file, no middlewares.
 */
export function watchMiddlewareFile (path: string | undefined, { onChange, onProblem }: MiddlewareFileOptions): MiddlewareFile {
  let middlewares: ReadonlyMap<string, Middleware> = new Map()
  if (path === undefined) return { middlewares, close () {} }

  function read () {
    try {
      const { found, problems } = readMiddlewares(readFileSync(path!, 'utf8'))
      middlewares = found
      for (const problem of problems) onProblem(`${path}: ${problem}`)
    } catch (error) {
      onProblem(`${path} cannot be read: ${(error as Error).message}`)
    }
  }

  /** A file that is not there is looked at once more right away, without anything new. */
  function onLook (now: Stats, before: Stats) {
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino) return
    read()
    onChange()
  }

  read()
  watchFile(path, { interval: POLL_MS, persistent: false }, onLook)
  return { get middlewares () { return middlewares }, close: () => { unwatchFile(path, onLook) } }
}

/** The middlewares of a document, and what of it means nothing here. @throws Error when it is no YAML. */
export function readMiddlewares (text: string): { found: Map<string, Middleware>, problems: string[] } {
  const document: unknown = parse(text, { maxAliasCount: 100 })
  const found = new Map<string, Middleware>()
  const problems: string[] = []
  const labels: Record<string, string> = {}
  for (const [name, definition] of entriesOf(entryOf(document, 'middlewares'))) {
    if (Value.Check(MiddlewareSchema, definition)) found.set(name, definition)
    else problems.push(`middlewares.${name}: ${[...Value.Errors(MiddlewareSchema, definition)].slice(0, 3).map(({ path, message }) => `${path} ${message}`).join('; ')}`)
  }
  for (const [name, definition] of entriesOf(entryOf(entryOf(document, 'http'), 'middlewares'))) flatten(`traefik.http.middlewares.${name}`, definition, labels, problems)
  const declared = readDeclarations({ name: '', labels })
  for (const { name, middleware } of declared.middlewares) if (middleware !== undefined) found.set(name, middleware)
  problems.push(...declared.problems.map(({ label, message, suggestion }) => `${label.replace(/^traefik\./, '')}: ${message}${suggestion === undefined ? '' : ` Did you mean ${suggestion.replace(/^traefik\./, '')}?`}`))
  return { found, problems }
}

/** Traefik's file says what its labels say. */
function flatten (path: string, value: unknown, labels: Record<string, string>, problems: string[]): void {
  if (Array.isArray(value)) {
    if (value.some((item) => String(item).includes(','))) problems.push(`${path}: an item has a comma, which lists of this form cannot hold; write it in the form of the API, under middlewares.`)
    else labels[path] = value.map(String).join(',')
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 0) labels[path] = 'true'
    for (const [key, inner] of entries) flatten(`${path}.${key}`, inner, labels, problems)
  } else {
    labels[path] = String(value ?? 'true')
  }
}

function entryOf (value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}

function entriesOf (value: unknown): Array<[string, unknown]> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
}
