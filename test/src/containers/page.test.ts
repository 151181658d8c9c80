import t from 'tap'
import { selectPage } from '../../../src/containers/page.ts'
import type { ContainerSummary } from '../../../src/engine/containers.ts'

function summary (index: number, created = index): ContainerSummary {
  return { Id: index.toString(16).padStart(64, '0'), Names: [`/c${index}`], Image: 'app:1', Created: created } as ContainerSummary
}

t.test('pages hold while containers come and go', async (t) => {
  const all = Array.from({ length: 10 }, (_, index) => summary(index, Math.floor(index / 3)))
  const first = selectPage(all, { limit: 4 })
  const later = [...all.filter(({ Id }) => Id !== first.items[3]!.Id), summary(99, 99)]
  const second = selectPage(later, { limit: 4, cursor: first.nextCursor! })
  const third = selectPage(later, { limit: 4, cursor: second.nextCursor! })
  t.equal(third.nextCursor, undefined)
  const names = [...first.items, ...second.items, ...third.items].map(({ Id }) => Id)
  t.equal(new Set(names).size, 10)
  t.equal(names.length, 10)
})

t.test('no limit gives all, newest first', async (t) => {
  const { items, nextCursor } = selectPage([summary(1), summary(3), summary(2)], {})
  t.same(items.map(({ Created }) => Created), [3, 2, 1])
  t.equal(nextCursor, undefined)
})

t.test('filters', async (t) => {
  t.equal(selectPage([summary(1), summary(2)], { name: 'c2' }).items.length, 1)
  t.equal(selectPage([summary(1)], { image: 'app' }).items.length, 1)
  t.equal(selectPage([summary(1)], { image: 'ap' }).items.length, 0)
})

t.test('a cursor that was not given is refused', async (t) => {
  for (const cursor of ['x', 'MTow', Buffer.from('1:zz').toString('base64url')]) t.throws(() => selectPage([], { cursor }), { code: 'invalid_request' })
})
