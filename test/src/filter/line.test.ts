import t from 'tap'
import { createLine } from '../../../src/filter/line.ts'

const NEVER = new AbortController().signal

t.test('so many go on, the others in the order in which they came', async (t) => {
  const line = createLine(2, 60_000)
  const order: string[] = []
  const first = await line.take(NEVER)
  const second = await line.take(NEVER)
  const third = line.take(NEVER).then((giveBack) => { order.push('third'); return giveBack })
  const fourth = line.take(NEVER).then((giveBack) => { order.push('fourth'); return giveBack })
  await new Promise(setImmediate)
  t.same(order, [])
  first()
  first()
  await third
  await new Promise(setImmediate)
  t.same(order, ['third'], 'a place is given back once')
  second()
  await fourth
  t.same(order, ['third', 'fourth'])
})

t.test('who no longer wants one leaves the line', async (t) => {
  const line = createLine(1, 60_000)
  const first = await line.take(NEVER)
  const leaving = new AbortController()
  const second = line.take(leaving.signal)
  const third = line.take(NEVER)
  leaving.abort(new Error('left'))
  await t.rejects(second, { message: 'left' })
  first()
  const giveBack = await third
  await t.rejects(line.take(AbortSignal.abort(new Error('left before'))), { message: 'left before' })
  giveBack()
  const last = await line.take(NEVER)
  last()
})

t.test('who has waited too long is told', async (t) => {
  const line = createLine(1, 1)
  const first = await line.take(NEVER)
  await t.rejects(line.take(NEVER), { code: 'too_many_requests' })
  first()
  const second = await line.take(NEVER)
  second()
})
