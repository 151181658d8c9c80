import t from 'tap'
import { escapedLine, loggerOptions, shownLine } from '../../../src/log/options.ts'
import { visible } from '../../../src/visible.ts'
import { requestIdFrom } from '../../../src/log/request-id.ts'

const HOSTILE = 'a\u001b[31m\u009b2J\u202egpj\u2028\u200b\r\n{"level":60}\u{e0001}\\u001b \ttab'

t.test('S22: a line of the log is the same JSON, without a byte that a terminal obeys', async (t) => {
  const line = JSON.stringify({ msg: HOSTILE })
  const escaped = escapedLine(line)
  t.same(JSON.parse(escaped), { msg: HOSTILE })
  t.notMatch(escaped, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
})

t.test('on a terminal the escapes are text', async (t) => {
  const { msg } = JSON.parse(shownLine(JSON.stringify({ msg: HOSTILE }))) as { msg: string }
  t.notMatch(msg.replaceAll(/[\n\t]/g, ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  for (const shown of ['\\u001b[31m', '\\u009b2J', '\\u202egpj', '\\u2028', '\\u200b', '\\r\n', '\\u001b \ttab']) t.ok(msg.includes(shown), shown)
})

t.test('what is shown has no hidden character', async (t) => {
  t.equal(visible('plain ünïcode 容器'), 'plain ünïcode 容器')
  t.equal(visible(`\u001b\u007f${String.fromCharCode(0xd800)}\u{e0001}`), '\\u001b\\u007f\\ud800\\udb40\\udc01')
})

t.test('of a request the log has no secret of its URL', async (t) => {
  const { req } = loggerOptions({ logLevel: 'info' }, false).serializers
  t.same(req({ method: 'GET', url: '/events?ticket=abc&token=def&since=1', host: 'x\u009b', ip: '::1', socket: {} }),
    { method: 'GET', url: '/events?ticket=[redacted]&token=[redacted]&since=1', host: 'x\\u009b', remoteAddress: '::1', remotePort: 0 })
})

t.test('a well-formed id of a request is kept, every other one replaced', async (t) => {
  for (const id of ['a', 'A-b_c.9', 'x'.repeat(64)]) t.equal(requestIdFrom(id), id)
  for (const id of [undefined, '', 'x'.repeat(65), 'a b', 'a\u001b', 'a,b', 'ä', ['a', 'b']]) t.match(requestIdFrom(id), /^[A-Za-z0-9_-]{12}$/, JSON.stringify(id))
  t.not(requestIdFrom(undefined), requestIdFrom(undefined))
})
