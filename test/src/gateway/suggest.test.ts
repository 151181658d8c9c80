import t from 'tap'
import { nearest } from '../../../src/gateway/suggest.ts'

const MATCHERS = ['Host', 'HostRegexp', 'Path', 'PathPrefix', 'PathRegexp', 'Method', 'Header', 'HeaderRegexp', 'Query', 'QueryRegexp', 'ClientIP']

await t.test('the known word with the fewest slips is suggested', async (t) => {
  const slips: [string, string][] = [['Hosts', 'Host'], ['PathPrefx', 'PathPrefix'], ['Headerregex', 'HeaderRegexp'], ['pathprefix', 'PathPrefix'], ['Mehtod', 'Method'], ['Pth', 'Path'], ['ClientIp', 'ClientIP']]
  for (const [word, meant] of slips) {
    t.equal(nearest(word, MATCHERS), meant, word)
  }
})

await t.test('a word that resembles none gets no suggestion, nor does one of absurd length', async (t) => {
  t.equal(nearest('Banana', MATCHERS), undefined)
  t.equal(nearest('', MATCHERS), undefined)
  t.equal(nearest('x', ['yz']), undefined)
  t.equal(nearest('Host'.repeat(1000), MATCHERS), undefined)
  t.equal(nearest('Host', []), undefined)
})

await t.test('of two that are as near the first is suggested', async (t) => {
  t.equal(nearest('cat', ['bat', 'rat']), 'bat')
})
