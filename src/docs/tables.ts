import type { Setting } from '../config/schema.ts'
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
