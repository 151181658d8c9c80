import { readFile } from 'node:fs/promises'
import t from 'tap'
import { ERROR_CATALOGUE } from '../../plugins/errors.ts'
import { ENGINE_VARIABLES } from '../../src/config/load.ts'
import { SETTINGS } from '../../src/config/schema.ts'
import { renderErrorTable, renderMetricsTable, renderSettingsTable, renderSwitchTable } from '../../src/docs/tables.ts'
import { RULES } from '../../src/filter/rules.ts'
import { NEVER, SWITCHES } from '../../src/filter/switches.ts'
import { METRICS } from '../../src/metrics/catalogue.ts'
import { ERROR_CODES } from '../../src/error-codes.ts'
import { FORBIDDEN_MEMBERS } from '../../src/policy/host.ts'

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8')

await t.test('docs/errors.md lists every code as it is; if not, run npm run docs', async (t) => {
  const text = await read('docs/errors.md')
  t.ok(text.includes(renderErrorTable(ERROR_CATALOGUE)))
  t.same([...text.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1]), Object.keys(ERROR_CODES))
})

await t.test('docs/configuration.md lists every setting as it is; if not, run npm run docs', async (t) => {
  const text = await read('docs/configuration.md')
  t.ok(text.includes(renderSettingsTable(SETTINGS)))
  const variables = [...text.matchAll(/^\| `([A-Z_]+)`/gm)].map((match) => match[1]!)
  t.same(variables.filter((name) => name.startsWith('DOCKAPI_')), SETTINGS.map(({ variable }) => variable))
  t.same(variables.filter((name) => !name.startsWith('DOCKAPI_')).sort(), [...ENGINE_VARIABLES].sort())
})

await t.test('docs/filter.md lists every switch and every request that passes as they are; if not, run npm run docs', async (t) => {
  t.ok((await read('docs/filter.md')).includes(renderSwitchTable(SWITCHES, RULES, NEVER)))
})

await t.test('docs/operations.md lists every metric as it is; if not, run npm run docs', async (t) => {
  t.ok((await read('docs/operations.md')).includes(renderMetricsTable(METRICS)))
})

await t.test('every variable that the documentation names exists', async (t) => {
  const known = new Set<string>([...SETTINGS.map(({ variable }) => variable), ...ENGINE_VARIABLES])
  for (const path of ['docs/configuration.md', 'docs/errors.md', 'docs/filter.md', 'docs/gateway.md', 'docs/operations.md', 'docs/policy.md']) {
    for (const [name] of (await read(path)).matchAll(/\bDOCK(?:API|ER)_[A-Z_]+\b/g)) t.ok(known.has(name), `${path}: ${name}`)
  }
})

await t.test('docs/policy.md names every member that is forbidden, and every setting that a denial can name', async (t) => {
  const text = await read('docs/policy.md')
  for (const member of FORBIDDEN_MEMBERS) t.ok(text.includes(`\`${member}\``), member)
  for (const { key, variable } of SETTINGS) if (/^(max(Memory|Cpus|Pids|Containers)|capDrop|hostPorts|images|registries|volumeRoots|publishHost)/.test(key)) t.ok(text.includes(variable), variable)
})

await t.test('the hints of errors name only variables that exist', async (t) => {
  const known = new Set<string>([...SETTINGS.map(({ variable }) => variable), ...ENGINE_VARIABLES])
  for (const [name] of JSON.stringify(ERROR_CODES).matchAll(/\bDOCK(?:API|ER)_[A-Z_]+\b/g)) t.ok(known.has(name), name)
})
