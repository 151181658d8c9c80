import t from 'tap'
import { formatReference, isImageId, parseReference } from '../../../src/images/reference.ts'

t.test('no tag means latest; registry ports and digests are told apart', async (t) => {
  const digest = `sha256:${'a'.repeat(64)}`
  for (const [text, whole] of [
    ['nginx', 'nginx:latest'],
    ['nginx:1.27', 'nginx:1.27'],
    ['library/nginx', 'library/nginx:latest'],
    ['localhost:5000/x', 'localhost:5000/x:latest'],
    ['registry.example.com:5000/team/app:1.2', 'registry.example.com:5000/team/app:1.2'],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
    [`alpine@${digest}`, `alpine@${digest}`],
    [`alpine:3@${digest}`, `alpine:3@${digest}`],
    ['a__b/c-d.e', 'a__b/c-d.e:latest']
  ] as const) t.equal(formatReference(parseReference(text)), whole)
})

t.test('what no registry could hold is refused', async (t) => {
  for (const text of ['', ' ', 'Nginx', 'nginx:', ':tag', 'a//b', '/a', 'a/', 'a:b:c', 'nginx\n', 'nginx latest', 'a@sha256:12', '../x', 'http://x/y', `x:${'t'.repeat(129)}`, 'a;b', '$(a)']) {
    t.throws(() => parseReference(text), { code: 'invalid_request', fields: [{ pointer: '/image' }] }, JSON.stringify(text))
  }
})

t.test('ids of images on the engine', async (t) => {
  t.ok(isImageId(`sha256:${'0'.repeat(64)}`))
  t.ok(isImageId('0123456789ab'.repeat(6).slice(0, 64)))
  t.notOk(isImageId('abc'))
})
