import t from 'tap'
import { askedOf } from '../../../src/audit/asked.ts'

const NOTHING = { params: {}, query: {}, body: undefined }

t.test('a request names its container, its image and what else it is about', async (t) => {
  t.same(askedOf({ ...NOTHING, params: { id: 'web' }, body: { name: 'shop' } }), { container: 'web', image: null, subject: 'shop' })
  t.same(askedOf({ ...NOTHING, params: { id: 'web', exec_id: 'e1' } }), { container: 'web', image: null, subject: 'e1' })
  t.same(askedOf({ ...NOTHING, params: { name: 'ci' } }), { container: null, image: null, subject: 'ci' })
  t.same(askedOf({ ...NOTHING, body: { image: 'nginx', name: 'web' } }), { container: null, image: 'nginx', subject: 'web' })
  t.same(askedOf({ ...NOTHING, query: { image: ['a', 'b'] } }), { container: null, image: 'a, b', subject: null })
  t.same(askedOf({ ...NOTHING, query: { tag: 'mine:1' } }), { container: null, image: 'mine:1', subject: null })
})

t.test('whatever was sent, it is text or nothing', async (t) => {
  for (const body of [undefined, null, 'text', 7, [], { image: 7, name: {} }, { image: [1, { a: 1 }] }]) {
    for (const value of Object.values(askedOf({ params: undefined, query: null, body }))) t.ok(value === null || typeof value === 'string', JSON.stringify(body))
  }
})

t.test('a login in an image is no reference and is not kept; a digest is one', async (t) => {
  t.equal(askedOf({ ...NOTHING, body: { image: 'https://joe:hunter2@registry.example/app' } }).image, '[redacted]@registry.example/app')
  const digest = `nginx@sha256:${'0'.repeat(64)}`
  t.equal(askedOf({ ...NOTHING, body: { image: digest } }).image, digest)
})
