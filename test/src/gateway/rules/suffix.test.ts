import t from 'tap'
import { suffixOf } from '../../../../src/gateway/rules/suffix.ts'

await t.test('how a host ends is read off an expression only where nothing else can end it', async (t) => {
  for (const [pattern, suffix] of [
    ['^[a-z]+\\.Example\\.com$', '.example.com'],
    ['^(?:x|(y|z)+)\\.example\\.com$', '.example.com'],
    ['^(?:[a-z0-9-]+)\\.example\\.com$', '.example.com'],
    ['.+\\.test$', '.test'],
    ['^([a-z]+\\.)*example\\.com$', '.com'],
    ['^a|b\\.test$', undefined],
    ['^(a|b)|c\\.test$', undefined],
    ['^(a|b\\.test)$', undefined],
    ['\\.test', undefined],
    ['\\.tes?t$', undefined],
    ['\\.test\\$', undefined],
    ['\\\\.test$', undefined],
    ['\\(a|\\)\\.test$', undefined],
    ['[(]a|[)]\\.test$', undefined],
    ['[]|]\\.test$', undefined],
    ['\\Qa\\.test$', undefined],
    ['x.test$', undefined]
  ] as const) t.equal(suffixOf(pattern), suffix, pattern)
})
