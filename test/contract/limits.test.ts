import { readFile } from 'node:fs/promises'
import t from 'tap'
import { SETTINGS } from '../../src/config/schema.ts'
import { renderSettingsTable } from '../../src/docs/tables.ts'
import { ERROR_CODES } from '../../src/error-codes.ts'
import { SLOT_KINDS } from '../../src/guard/slots.ts'

const root = new URL('../../', import.meta.url)
const text = await readFile(new URL('docs/limits.md', root), 'utf8')
const rows = text.slice(text.indexOf('## All of them')).split('\n').filter((line) => line.startsWith('| ')).slice(2).map((line) => line.slice(2, -2).split(' | ').map((cell) => cell.trim()))
const plain = (cell: string | undefined) => cell?.replaceAll('`', '')

await t.test('docs/limits.md names settings, defaults, codes and tests that are there', async (t) => {
  const defaults = new Map(renderSettingsTable(SETTINGS).split('\n').map((line) => line.split(' | ')).map(([variable, , value]) => [variable?.slice(2), value]))
  t.ok(rows.length > 10)
  for (const [limit, value, setting, code, test] of rows) {
    if (setting !== 'none') t.equal(defaults.get(setting), value, `${limit}`)
    t.ok(Object.hasOwn(ERROR_CODES, plain(code)!), `${limit}: ${code}`)
    const source = await readFile(new URL(plain(test)!, root), 'utf8').catch(() => '')
    t.ok(source.includes(plain(code)!) || source.includes('status === 429'), `${test} looks for ${code}`)
  }
})

await t.test('it lists everything that is bounded in number, and every variable that it names exists', async (t) => {
  for (const { variable, code } of Object.values(SLOT_KINDS)) t.ok(rows.some(([, , setting, answer]) => plain(setting) === variable && plain(answer) === code), variable)
  const known = new Set(SETTINGS.map(({ variable }) => variable))
  for (const [name] of text.matchAll(/\bDOCKAPI_[A-Z_]+\b/g)) t.ok(known.has(name), name)
  for (const { code } of Object.values(SLOT_KINDS)) t.ok(Object.hasOwn(ERROR_CODES, code))
})

await t.test('every kind of place has its setting under that name', async (t) => {
  for (const { setting, variable } of Object.values(SLOT_KINDS)) t.equal(SETTINGS.find(({ key }) => key === setting)?.variable, variable)
})
