import t from 'tap'
import { createRoster } from '../../../src/forward/roster.ts'

t.test('holds what was added and not yet removed, in whatever order it goes', async (t) => {
  const roster = createRoster<number>()
  const places = [0, 1, 2, 3, 4].map((item) => roster.add(item))
  for (const [index, left] of [[2, [0, 1, 3, 4]], [4, [0, 1, 3]], [0, [1, 3]], [3, [1]], [1, []]] as const) {
    roster.remove(places[index]!)
    t.same(roster.items().sort(), left)
  }
})

t.test('a place that was taken off stays off, whoever stands there now', async (t) => {
  const roster = createRoster<string>()
  const first = roster.add('first')
  roster.remove(first)
  roster.add('second')
  roster.remove(first)
  t.same(roster.items(), ['second'])
})

t.test('what is taken off while the items are walked is still walked', async (t) => {
  const roster = createRoster<string>()
  const places = ['a', 'b', 'c'].map((item) => roster.add(item))
  const seen = []
  for (const item of roster.items()) {
    seen.push(item)
    for (const place of places) roster.remove(place)
  }
  t.same(seen.sort(), ['a', 'b', 'c'])
  t.same(roster.items(), [])
})
