import { readFile } from 'node:fs/promises'
import t from 'tap'
import { KNOWN_LABELS, KNOWN_MIDDLEWARES, KNOWN_UNSUPPORTED, KNOWN_VARIABLES } from '../../src/gateway/labels/known.ts'
import { readDeclarations } from '../../src/gateway/labels/read.ts'

const text = await readFile(new URL('../../docs/labels.md', import.meta.url), 'utf8')

/** What stands between backticks in the columns of the table below a heading. */
function tableBelow (heading: string): string[][][] {
  const section = text.slice(text.indexOf(`\n${heading}\n`)).split(/\n(?=#)/)[1] ?? ''
  const rows = section.split('\n').filter((line) => line.startsWith('| ')).slice(2)
  return rows.map((row) => row.split(' | ').map((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)))
}

const wordsOf = (rows: string[][][], column: number) => rows.flatMap((row) => row[column] ?? [])
const withoutHeader = (word: string) => word.replace(/\.<Header>$/, '')

await t.test('docs/labels.md lists every label that is understood, and no other', async (t) => {
  const listed = [...wordsOf(tableBelow('## dockAPI'), 0), ...wordsOf(tableBelow('## Traefik'), 0)].map(withoutHeader)
  t.same([...listed].sort(), KNOWN_LABELS.filter((label) => !label.startsWith('dockapi.routes.')).toSorted())
  const named = KNOWN_LABELS.filter((label) => label.startsWith('dockapi.routes.<name>.')).map((label) => label.replace('routes.<name>.', ''))
  t.same(named.sort(), listed.filter((label) => /^dockapi\.(?!enable$|network$)/.test(label)).sort(), 'named routes know every word but two')
})

await t.test('it lists every middleware and its words', async (t) => {
  const listed = tableBelow('### Middlewares').map(([name, words]) => [name![0]!, words!.map(withoutHeader)] as const)
  t.same(listed, [...KNOWN_MIDDLEWARES])
})

await t.test('it lists the variables, and names what is not supported', async (t) => {
  t.same(wordsOf(tableBelow('## nginx-proxy'), 0), KNOWN_VARIABLES)
  for (const name of KNOWN_UNSUPPORTED) t.ok(text.includes(`\`${name}\``), name)
})

await t.test('the two columns of the migration table say the same', async (t) => {
  const rows = [...text.matchAll(/^\| `([^`…]+=[^`…]+)` \| `(dockapi\.[^`…]+)` \|$/gm)]
  t.equal(rows.length, 9)
  for (const [, theirs, ours] of rows) {
    const one = declared(theirs!)
    t.same(one, declared(ours!), theirs!)
    t.same(one.problems, [])
  }
})

/** What one label or variable says, but for the names that it gives. */
function declared (pair: string) {
  const isVariable = pair.startsWith('VIRTUAL')
  const labels = isVariable ? {} : { [pair.slice(0, pair.indexOf('='))]: pair.slice(pair.indexOf('=') + 1) }
  const { isEnabled, network, main, services, routes, problems } = readDeclarations({ name: 'app', labels, environment: isVariable ? [pair, 'VIRTUAL_HOST=app.test'] : [] })
  return { isEnabled, network, main, services: services.map(({ name, ...service }) => service), middlewares: routes.map(({ middlewares }) => middlewares), problems }
}
