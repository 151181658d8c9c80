import t from 'tap'
import { createRenewal } from '../../../src/gateway/renewal.ts'
import { until } from '../../support/until.ts'

const membersOf = (...ids: string[]) => ids.map((id) => ({ container: { id } }))

t.test('a change is taken soon, many at once, and a request that it concerns sees it before', async (t) => {
  let made = 0
  const renewal = createRenewal(() => { made++ })
  t.after(() => { renewal.close() })
  t.notOk(renewal.isBehind(), 'nothing changed yet')
  for (const id of ['a', 'b', 'c']) renewal.note(id)
  t.equal(made, 0, 'not while events are read')
  t.ok(renewal.isBehind())
  t.ok(renewal.isBehind(membersOf('x', 'b')))
  t.notOk(renewal.isBehind(membersOf('x', 'y')), 'requests to others do not wait')
  await until(() => made > 0)
  t.equal(made, 1, 'one table for all')
  t.notOk(renewal.isBehind())

  renewal.note('d')
  renewal.catchUp()
  t.equal(made, 2)
  renewal.catchUp()
  t.equal(made, 2, 'and not twice')
})

t.test('a dear table is not made for every change', async (t) => {
  let made = 0
  const renewal = createRenewal(() => {
    made++
    const end = performance.now() + 20
    while (performance.now() < end);
  })
  t.after(() => { renewal.close() })
  renewal.renew()
  for (let count = 0; count < 20; count++) {
    renewal.note(`c${count}`)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  t.equal(made, 1, 'the rest after the last table is not over')
  await until(() => made === 2)
  t.notOk(renewal.isBehind(), 'all of them are in the next one')
})

t.test('after the end no table is made', async (t) => {
  let made = 0
  const renewal = createRenewal(() => { made++ })
  renewal.note('a')
  renewal.close()
  await new Promise((resolve) => { setTimeout(resolve, 20) })
  t.equal(made, 0)
})
