import t from 'tap'
import { readChoice, readCookieName, readDuration, readFlag, readHost, readInteger, readList, readName, readNetwork, readPath, readPort, readSize, readText, readUrl } from '../../../../src/gateway/labels/values.ts'
import type { Reader } from '../../../../src/gateway/labels/values.ts'

/** `undefined`: it cannot be read. */
const rows: ReadonlyArray<readonly [string, Reader<unknown>, ReadonlyArray<readonly [string, unknown]>]> = [
  ['a flag', readFlag, [['true', true], ['TRUE', true], ['1', true], [' t ', true], ['false', false], ['0', false], ['F', false], ['yes', undefined], ['', undefined]]],
  ['an integer', readInteger(-5, 10), [['7', 7], ['-5', -5], ['+3', 3], ['11', undefined], ['1.5', undefined], ['0x1', undefined], ['', undefined], ['1e1', undefined]]],
  ['a port', readPort, [['80', 80], ['65535', 65535], ['0', undefined], ['70000', undefined], ['80/tcp', undefined]]],
  ['a size', readSize, [['42', 42], ['10m', 10 * 1024 ** 2], ['2MiB', 2 * 1024 ** 2], ['1k', 1024], ['many', undefined]]],
  ['a time', readDuration(3600), [['10', 10], ['10s', 10], ['500ms', 0.5], ['1m30s', 90], ['1h', 3600], ['2h', undefined], ['0s', undefined], ['-1s', undefined], ['10 s', undefined], ['1d', undefined], ['9'.repeat(40), undefined]]],
  ['a choice', readChoice({ http: 'http', https: 'https' }), [['HTTPS', 'https'], ['h2c', undefined], ['constructor', undefined], ['__proto__', undefined]]],
  ['text for a header', readText(10), [['a b', 'a b'], ['a\r\nb', undefined], ['a\0', undefined], ['x'.repeat(11), undefined], ['€', undefined]]],
  ['a name', readName, [['web@file', 'web@file'], [' web ', 'web'], ['a b', undefined], ['a,b', undefined], ['', undefined]]],
  ['a cookie', readCookieName, [['lb', 'lb'], ['a;b', undefined], ['', undefined]]],
  ['a host', readHost, [['app.test', 'app.test'], ['a b', undefined]]],
  ['a path', readPath, [['/', '/'], ['/a/b?c', '/a/b?c'], ['a', undefined], ['//host', undefined], ['/a b', undefined], ['/a\\b', undefined], ['/a#b', undefined]]],
  ['a URL', readUrl, [['http://a:1/b', 'http://a:1/b'], ['HTTPS://A', 'HTTPS://A'], ['ftp://a', undefined], ['http:a', undefined], ['http://u:p@a', undefined], ['a', undefined]]],
  ['a network', readNetwork, [['10.0.0.0/8', '10.0.0.0/8'], ['127.0.0.1', '127.0.0.1'], ['fd00::/8', 'fd00::/8'], ['10.0.0.0/33', undefined], ['10.0.0', undefined], ['10.0.0.0/8/8', undefined], ['10.0.0.0/', undefined], ['::/129', undefined]]],
  ['a list', readList(readPath), [['/a, /b', ['/a', '/b']], ['/a,,', ['/a']], ['', undefined], ['/a,b', undefined], [Array(1001).fill('/a').join(','), undefined]]]
]

for (const [name, read, cases] of rows) {
  await t.test(name, async (t) => {
    for (const [text, expected] of cases) {
      const reading = read(text)
      t.same('value' in reading ? reading.value : undefined, expected, JSON.stringify(text).slice(0, 60))
      if ('expected' in reading) t.match(reading.expected, /^[a-z]/, 'says how to write it')
    }
  })
}

await t.test('a value of a megabyte is refused, whatever it is made of', async (t) => {
  const long = ['1s'.repeat(500_000), '9'.repeat(1_000_000), 'a'.repeat(1_000_000), '/'.repeat(1_000_000), ' '.repeat(1_000_000), ','.repeat(1_000_000)]
  for (const [name, read] of rows) for (const text of long) t.ok('expected' in read(text), `${name}: ${text.slice(0, 2)}…`)
})
