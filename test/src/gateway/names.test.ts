import t from 'tap'
import { composeName, dnsLabel, hostsOf } from '../../../src/gateway/names.ts'

await t.test('a name with underscores answers both ways, every other one as one DNS label', async (t) => {
  t.same(hostsOf('epic_hofstadter', 'localhost'), ['epic-hofstadter.localhost', 'epic_hofstadter.localhost'])
  t.same(hostsOf('my-app', 'apps.test'), ['my-app.apps.test'])
  t.same(hostsOf('My.App', 'localhost'), ['my-app.localhost'])
  t.same(hostsOf('__', 'localhost'), [])
})

await t.test('a label is never longer than DNS allows, and neither begins nor ends with a hyphen', async (t) => {
  t.equal(dnsLabel('A_b.c'), 'a-b-c')
  t.equal(dnsLabel('x'.repeat(100)).length, 63)
  t.equal(dnsLabel(`${'x'.repeat(62)}_y`), 'x'.repeat(62))
  t.equal(dnsLabel('_web_'), 'web')
})

await t.test('replicas of a compose service share a name, one-off containers do not', async (t) => {
  const labels = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' }
  t.equal(composeName(labels), 'web-shop')
  t.equal(composeName({ ...labels, 'com.docker.compose.oneoff': 'True' }), undefined)
  t.equal(composeName({}), undefined)
})
