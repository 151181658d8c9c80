import t from 'tap'
import { createSettingsTable } from '../../../src/store/settings.ts'
import { openStore } from '../../../src/store/store.ts'

const by = { restoredFrom: null, changedBy: 'the test' }

t.test('the newest version counts, earlier ones are kept, and what was taken away is not listed', async (t) => {
  const store = openStore('memory')
  t.after(() => store.close())
  const table = createSettingsTable(store)
  t.equal(table.put('route', 'web', { document: { rule: 'one' }, ...by }), 1)
  t.equal(table.put('route', 'web', { document: { rule: 'two' }, ...by }), 2)
  t.equal(table.put('middleware', 'web', { document: { compress: {} }, ...by }), 1)
  t.same(table.list().map(({ kind, id, version, document }) => [kind, id, version, document]), [['middleware', 'web', 1, { compress: {} }], ['route', 'web', 2, { rule: 'two' }]])
  table.put('route', 'web', { document: null, ...by })
  t.same(table.list().map(({ kind }) => kind), ['middleware'])
  t.match(table.versions('route', 'web'), [{ version: 3, document: null, changedBy: 'the test' }, { version: 2, document: { rule: 'two' } }, { version: 1 }])
  t.equal(table.put('route', 'web', { document: { rule: 'two' }, restoredFrom: 2, changedBy: 'the test' }), 4)
  t.equal(table.versions('route', 'web')[0]!.restoredFrom, 2)
})

t.test('a hundred versions are kept of each', async (t) => {
  const store = openStore('memory')
  t.after(() => store.close())
  const table = createSettingsTable(store)
  for (let count = 0; count < 130; count++) table.put('override', 'x', { document: { count }, ...by })
  t.match(table.versions('override', 'x'), { length: 100, 0: { version: 130 }, 99: { version: 31 } })
})
