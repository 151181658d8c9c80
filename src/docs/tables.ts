import type { Setting } from '../config/schema.ts'
import type { Rule } from '../filter/rules.ts'
import { ON_BY_DEFAULT } from '../filter/switches.ts'
import type { Switch } from '../filter/switches.ts'
import type { MetricInfo } from '../metrics/catalogue.ts'
import type { CatalogueEntry } from './error-page.ts'

/** The table of `docs/errors.md`. */
export function renderErrorTable (catalogue: readonly CatalogueEntry[]): string {
  return renderTable(['code', 'status', 'meaning', 'what to do', 'may be retried'],
    catalogue.map(({ code, status, title, hint = '', isRetryable }) => [`\`${code}\``, String(status), title, hint, isRetryable ? 'yes' : '']))
}

/** The table of `docs/configuration.md`. */
export function renderSettingsTable (settings: readonly Setting[]): string {
  return renderTable(['variable', 'flag', 'default', 'meaning'],
    settings.map(({ variable, flag, schema }) => [`\`${variable}\``, `\`${flag}\``, defaultOf(schema), String(schema.description)]))
}

/** The table of `docs/filter.md`: what each switch opens, then what none does. */
export function renderSwitchTable (switches: readonly Switch[], rules: readonly Rule[], never: Readonly<Record<string, string>>): string {
  return renderTable(['switch', 'default', 'opens'], [
    ...switches.map((name) => [`\`${name}\``, ON_BY_DEFAULT.includes(name) ? 'on' : 'off', rules.flatMap((rule) => describeOpening(rule, name) ?? []).join(', ')]),
    ...Object.entries(never).map(([name, reason]) => [`\`${name}\``, 'never', `nothing: ${reason}`])
  ])
}

/** A rule that takes several switches stands at the last of them, with the others named. */
function describeOpening ({ method, path, opened }: Rule, name: Switch): string | undefined {
  const way = opened.find((switches) => switches.at(-1) === name)
  if (way === undefined) return undefined
  const others = way.slice(0, -1)
  return `${method} \`${path}\`${others.length === 0 ? '' : ` (with \`${others.join('`, `')}\`)`}`
}

/** The table of `docs/operations.md`. */
export function renderMetricsTable (metrics: Readonly<Record<string, MetricInfo>>): string {
  return renderTable(['metric', 'type', 'labels', 'meaning'],
    Object.entries(metrics).map(([name, { type, labels, help }]) => [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), help]))
}

function defaultOf ({ default: value, unit }: Setting['schema']): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'none'
  return `\`${unit === 'bytes' ? renderBytes(value as number) : String(value)}\``
}

function renderBytes (bytes: number): string {
  const [factor, letter] = bytes % 1024 ** 3 === 0 ? [1024 ** 3, 'g'] : bytes % 1024 ** 2 === 0 ? [1024 ** 2, 'm'] : [1, '']
  return `${bytes / factor}${letter}`
}

function renderTable (head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
  return lines.join('\n')
}
