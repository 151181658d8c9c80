import t from 'tap'
import { createBudget } from '../../../src/sockets/budget.ts'

t.test('so many at once, then as time goes by', async (t) => {
  let now = 0
  const take = createBudget({ perSecond: 10, burst: 5, bytesPerMessage: Infinity }, () => now)
  t.same(Array.from({ length: 6 }, () => take(1)), [true, true, true, true, true, false])
  now = 300
  t.same(Array.from({ length: 3 }, () => take(1)), [true, true, false])
  now = 1_000_000
  t.same(Array.from({ length: 6 }, () => take(1)), [true, true, true, true, true, false], 'what is saved up has a limit')
})

t.test('messages that carry much pay for themselves', async (t) => {
  const take = createBudget({ perSecond: 1, burst: 3, bytesPerMessage: 100 }, () => 0)
  for (let count = 0; count < 1000; count++) t.ok(take(100))
  t.same([take(0), take(0), take(0), take(0)], [true, true, true, false])
})
