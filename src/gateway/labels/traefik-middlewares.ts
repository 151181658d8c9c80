import { FormatRegistry, TypeRegistry } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { MiddlewareSchema } from '../../../schemas/middlewares.ts'
import type { Middleware } from '../../../schemas/middlewares.ts'
import { nearest } from '../suggest.ts'
import type { MiddlewareDeclaration } from './declarations.ts'
import type { Entry, NamedEntries } from './entries.ts'
import { MIDDLEWARE_TABLES, PATTERN_MEMBERS, UNSUPPORTED_MIDDLEWARES } from './middleware-options.ts'
import type { MiddlewareDraft, MiddlewareTable } from './middleware-options.ts'
import { applyEntry } from './options.ts'
import type { CheckPattern } from './patterns.ts'
import { quoted } from './problems.ts'
import type { Problems } from './problems.ts'
import { readFlag } from './values.ts'

// What the schema says beyond JSON Schema's own words: `Value` knows neither until it is told.
if (!FormatRegistry.Has('uri')) FormatRegistry.Set('uri', (text) => URL.canParse(text))
if (!TypeRegistry.Has('Unsafe')) TypeRegistry.Set<{ enum?: readonly unknown[] }>('Unsafe', ({ enum: values }, value) => values === undefined || values.includes(value))

/** The middleware of these labels; one that cannot be built says why, and its routes are closed. */
export function readMiddleware (named: NamedEntries, checkPattern: CheckPattern, problems: Problems): MiddlewareDeclaration {
  const { name, entries } = named
  const kinds = [...new Set(entries.map(({ folded }) => folded[0] ?? ''))]
  const [kind = ''] = kinds
  const table = MIDDLEWARE_TABLES.get(kind)
  const label = entries[0]!.label
  if (kinds.length > 1) return unbuilt(name, label, `It is defined as ${kinds.map(quoted).join(' and ')}: give each a name of its own and put them in a row, or into a chain.`, problems)
  if (table === undefined) return unknownKind(name, kind, entries[0]!, problems)
  return buildMiddleware(named, kind, table, checkPattern, problems)
}

function buildMiddleware ({ name, entries }: NamedEntries, kind: string, table: MiddlewareTable, checkPattern: CheckPattern, problems: Problems): MiddlewareDeclaration {
  const draft: MiddlewareDraft = new Map()
  for (const entry of entries) {
    const option = { ...entry, path: entry.path.slice(1), folded: entry.folded.slice(1) }
    const word = option.folded.join('.')
    if (table.closing !== undefined && Object.hasOwn(table.closing, word)) return unbuilt(name, entry.label, table.closing[word]!, problems)
    if (word !== '') applyEntry(draft, option, table, problems)
    else if (!isTrue(entry.value)) return unbuilt(name, entry.label, `${quoted(entry.value)} cannot be read: write ${table.isBare === true ? 'true' : 'what it has to do below it'}.`, problems)
  }
  const missing = table.required.find((member) => !draft.has(member))
  const label = entries[0]!.label
  if (missing !== undefined) return unbuilt(name, label, `Nothing usable is said for "${missing.replaceAll('_', '')}", which a ${kind} needs.`, problems)
  const mistake = mistakeInPatterns(draft, checkPattern)
  if (mistake !== undefined) return unbuilt(name, label, mistake, problems)
  const middleware = { [table.kind]: Object.fromEntries(draft) }
  if (!isMiddleware(middleware)) return unbuilt(name, label, problemOf(middleware), problems)
  return { name, middleware }
}

function mistakeInPatterns (draft: MiddlewareDraft, checkPattern: CheckPattern): string | undefined {
  for (const member of PATTERN_MEMBERS) {
    for (const pattern of [draft.get(member) ?? []].flat()) {
      const mistake = checkPattern(String(pattern))
      if (mistake !== undefined) return `${quoted(String(pattern))} cannot be used. ${mistake}`
    }
  }
  return undefined
}

function isTrue (text: string): boolean {
  const reading = readFlag(text)
  return 'value' in reading && reading.value
}

function isMiddleware (value: unknown): value is Middleware {
  return Value.Check(MiddlewareSchema, value)
}

function problemOf (value: unknown): string {
  const error = Value.Errors(MiddlewareSchema, value).First()
  return `What its labels say does not go together: ${error?.path.split('/').slice(2).join('.').replaceAll('_', '') ?? ''}: ${error?.message ?? ''}.`
}

function unknownKind (name: string, kind: string, { label, path }: Entry, problems: Problems): MiddlewareDeclaration {
  if (kind === '') return unbuilt(name, label, 'What it does is missing: write it behind the name, such as stripprefix.prefixes.', problems)
  if (Object.hasOwn(UNSUPPORTED_MIDDLEWARES, kind)) return unbuilt(name, label, UNSUPPORTED_MIDDLEWARES[kind]!, problems)
  const known = nearest(kind, MIDDLEWARE_TABLES.keys())
  const stem = label.slice(0, label.length - path.join('.').length)
  return unbuilt(name, label, `No middleware is called ${quoted(kind)}.`, problems, known === undefined ? undefined : stem + [known, ...path.slice(1)].join('.'))
}

function unbuilt (name: string, label: string, problem: string, problems: Problems, suggestion?: string): MiddlewareDeclaration {
  problems.add(label, `The middleware ${quoted(name)} cannot be built, so routes with it are closed. ${problem}`, suggestion)
  return { name, middleware: undefined, problem }
}
