import t from 'tap'
import { repeatedMember } from '../../../src/guard/repeated-member.ts'

t.test('a member that is there twice is named, wherever it stands and however it is written', async (t) => {
  for (const [text, pointer] of [
    ['{"a":1,"a":2}', '/a'],
    ['{"a":1,"\\u0061":2}', '/a'],
    ['{"a" :1,\n"b":2,\t"a"\n:3}', '/a'],
    ['{"a":{"b":1,"c":2,"b":3}}', '/a/b'],
    ['{"a":[0,{"x":1},[{"b":1,"b":1}]]}', '/a/2/0/b'],
    ['[{"a":1},{"a":1,"a":1}]', '/1/a'],
    ['{"":1,"":2}', '/'],
    ['{"a/b~":1,"a/b~":2}', '/a~1b~0'],
    ['{"x":"\\\\","a":"\\"","a":1}', '/a'],
    ['{"\\"":1,"\\"":2}', '/"'],
    ['{"a":{},"b":[],"a":1}', '/a']
  ] as const) {
    t.doesNotThrow(() => JSON.parse(text), text)
    t.equal(repeatedMember(text), pointer, text)
  }
})

t.test('names of different objects, values and what only looks like a member are not', async (t) => {
  for (const text of ['1', '"a"', 'null', '[]', '{}', '["a","a"]', '{"a":"a","b":"a"}', '[{"a":1},{"a":1}]', '{"a":{"a":{"a":1}},"b":{"a":1}}', '{"a":"\\"a\\":1,\\"a\\":2","b":"{\\"a\\":","c":"\\\\"}', '{"a":1,"A":2}', '{"a":",","b":["[",",","a"]}']) {
    t.doesNotThrow(() => JSON.parse(text), text)
    t.equal(repeatedMember(text), undefined, text)
  }
})

t.test('a megabyte of one string, and depth without end, are read', async (t) => {
  t.equal(repeatedMember(JSON.stringify({ a: 'x'.repeat(1024 ** 2), b: '\\"'.repeat(1024 ** 2 / 4) })), undefined)
  t.equal(repeatedMember(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)},"a":1}`), '/a')
})
