import { readFile } from 'node:fs/promises'
import { ERROR_CATALOGUE } from '../plugins/errors.ts'
import { SETTINGS } from '../src/config/schema.ts'
import { renderErrorTable, renderMetricsTable, renderSettingsTable, renderSwitchTable } from '../src/docs/tables.ts'
import { RULES } from '../src/filter/rules.ts'
import { NEVER, SWITCHES } from '../src/filter/switches.ts'
import { METRICS } from '../src/metrics/catalogue.ts'
import { writeOrCheck } from './generated-file.ts'

const GENERATED = /(<!-- generated: npm run docs -->\n).*(<!-- end of generated -->)/s

await writeTable('docs/errors.md', renderErrorTable(ERROR_CATALOGUE))
await writeTable('docs/configuration.md', renderSettingsTable(SETTINGS))
await writeTable('docs/filter.md', renderSwitchTable(SWITCHES, RULES, NEVER))
await writeTable('docs/operations.md', renderMetricsTable(METRICS))

/** Replaces the table between the marks; what people wrote around it stays. */
async function writeTable (path: string, table: string): Promise<void> {
  const text = await readFile(new URL(`../${path}`, import.meta.url), 'utf8')
  if (!GENERATED.test(text)) throw new Error(`${path} has no marks for its table.`)
  await writeOrCheck(path, text.replace(GENERATED, (_match, begin: string, end: string) => `${begin}${table}\n${end}`), 'npm run docs')
}
