import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const EXPECTED = [...Array.from({ length: 30 }, (_, index) => `S${index + 1}`), 'W11', 'P5', 'P8', 'G1', 'G5']
const text = await readFile(join(ROOT, 'docs/conformance.md'), 'utf8')
const rows = text.split('\n').filter((line) => /^\| [SWPG]\d+ \|/.test(line)).map((line) => {
  const [id, must, tried, tests, result] = line.slice(2, -2).split(' | ')
  return { id: id!, isMust: must === 'yes', tried, tests: [...tests!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!), result: result! }
})

/** The cases that the titles of a test file name. */
async function casesOf (path: string): Promise<Set<string>> {
  const titles = (await readFile(join(ROOT, path), 'utf8').catch(() => '')).matchAll(/t\.test\(['`]((?:[SWPG]\d+ ?)+):/g)
  return new Set([...titles].flatMap((match) => match[1]!.split(' ')))
}

t.test('every case is listed once, with a result', async (t) => {
  t.same(rows.map(({ id }) => id), EXPECTED)
  for (const { id, result } of rows) t.match(result, /^(holds|partly: .+)$/, id)
})

t.test('the counts are right', async (t) => {
  const musts = rows.filter(({ isMust }) => isMust)
  const held = (of: typeof rows) => of.filter(({ result }) => result === 'holds').length
  t.match(text, `**${held(musts)} of ${musts.length} must cases hold; ${held(rows)} of ${rows.length} of all of them.**`)
})

t.test('every test that a case names has it in a title, and every title is in the table', async (t) => {
  for (const { id, tests } of rows) {
    t.ok(tests.length > 0, id)
    for (const path of tests) t.ok((await casesOf(path)).has(id), `${path} names ${id}`)
  }
  for (const path of (await readdir(join(ROOT, 'test'), { recursive: true })).filter((name) => name.endsWith('.test.ts')).map((name) => join('test', name))) {
    for (const id of await casesOf(path)) t.ok(rows.some((row) => row.id === id && row.tests.includes(path)), `${id} of ${path} is in the table`)
  }
})

t.end()
