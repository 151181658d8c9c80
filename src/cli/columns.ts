import { visible } from '../visible.ts'

/** Rows as columns of a terminal, each as wide as its widest cell; control characters are shown, never sent. */
export function renderColumns (rows: ReadonlyArray<readonly string[]>): string {
  const shown = rows.map((row) => row.map(visible))
  const widths = shown[0]?.map((_cell, column) => Math.max(...shown.map((row) => row[column]!.length))) ?? []
  return shown.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n')
}
