import t from 'tap'
import { createSlots } from '../../../src/filter/slots.ts'

const NEVER = new AbortController().signal

t.test('so many go on, the others in the order in which they came', async (t) => {
  const slots = createSlots(2, 60_000)
  const order: string[] = []
  const first = await slots.take(NEVER)
  const second = await slots.take(NEVER)
  const third = slots.take(NEVER).then((giveBack) => { order.push('third'); return giveBack })
  const fourth = slots.take(NEVER).then((giveBack) => { order.push('fourth'); return giveBack })
  await new Promise(setImmediate)
  t.same(order, [])
  first()
  first()
  await third
  await new Promise(setImmediate)
  t.same(order, ['third'], 'a slot is given back once')
  second()
  await fourth
  t.same(order, ['third', 'fourth'])
})

t.test('who no longer wants one leaves the line', async (t) => {
  const slots = createSlots(1, 60_000)
  const first = await slots.take(NEVER)
  const leaving = new AbortController()
  const second = slots.take(leaving.signal)
  const third = slots.take(NEVER)
  leaving.abort(new Error('left'))
  await t.rejects(second, { message: 'left' })
  first()
  const giveBack = await third
  await t.rejects(slots.take(AbortSignal.abort(new Error('left before'))), { message: 'left before' })
  giveBack()
  const last = await slots.take(NEVER)
  last()
})

t.test('who has waited too long is told', async (t) => {
  const slots = createSlots(1, 1)
  const first = await slots.take(NEVER)
  await t.rejects(slots.take(NEVER), { code: 'too_many_requests' })
  first()
  const second = await slots.take(NEVER)
  second()
})
