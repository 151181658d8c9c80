import t from 'tap'
import { negotiateVersion, NEWEST_API } from '../../../src/engine/version.ts'

await t.test('the newest version that both speak', async (t) => {
  t.equal(negotiateVersion({ oldest: '1.24', newest: '1.41' }), '1.41')
  t.equal(negotiateVersion({ oldest: '1.44', newest: '1.52' }), NEWEST_API)
  t.equal(negotiateVersion({ oldest: NEWEST_API, newest: '1.99' }), NEWEST_API)
  t.equal(negotiateVersion({ oldest: undefined, newest: '1.40' }), '1.40')
  t.equal(negotiateVersion({ oldest: '1.9', newest: '1.100' }), NEWEST_API, 'numbers, not text')
})

await t.test('an engine that is too old or too new is one clear error', async (t) => {
  t.throws(() => negotiateVersion({ oldest: '1.12', newest: '1.39' }), { code: 'engine_unavailable', message: /speaks API 1\.12 to 1\.39; dockAPI speaks/, hint: /Update the engine/ })
  t.throws(() => negotiateVersion({ oldest: '1.60', newest: '1.70' }), { code: 'engine_unavailable', hint: /Update dockAPI/ })
})
