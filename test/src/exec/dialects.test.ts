import t from 'tap'
import { CHANNEL_DIALECT } from '../../../src/exec/channel-dialect.ts'
import { DOCKAPI_DIALECT } from '../../../src/exec/dockapi-dialect.ts'

const PROBLEM = { type: '/docs/errors#exec_timeout', title: 'Late', status: 504, detail: 'Too late.', error: 'Too late.', instance: '/', code: 'exec_timeout', retryable: true, request_id: '1' }

t.test('dockapi.exec.v1', async (t) => {
  const read = (text: string) => DOCKAPI_DIALECT.read(Buffer.from(text), false)
  t.same(DOCKAPI_DIALECT.read(Buffer.from('x'), true), { type: 'stdin', bytes: Buffer.from('x') })
  t.same(read('{"type":"eof"}'), { type: 'eof' })
  t.same(read('{"type":"resize","cols":80,"rows":24}'), { type: 'resize', size: { cols: 80, rows: 24 } })
  for (const name of ['SIGINT', 'INT', 'sigint']) t.same(read(JSON.stringify({ type: 'signal', name })), { type: 'signal', name: 'SIGINT' })
  for (const text of ['', '{', '1', 'null', '[]', '{}', '{"type":1}', '{"type":"signal"}', '{"type":"signal","name":"SIG"}', '{"type":"signal","name":"9"}', '{"type":"resize","cols":"80","rows":24}', '{"type":"resize","cols":1.5,"rows":24}', '{"type":"resize","cols":65536,"rows":24}']) {
    t.match(read(text), { type: 'invalid', detail: /./ }, text)
  }
  t.same(JSON.parse(String(DOCKAPI_DIALECT.started('abc'))), { type: 'started', exec_id: 'abc' })
  t.same(DOCKAPI_DIALECT.output('stderr', Buffer.from('e')), Buffer.from('\x02e'))
  t.same(JSON.parse(String(DOCKAPI_DIALECT.exit(1, true))), { type: 'exit', exit_code: 1, truncated: true })
  t.match(JSON.parse(String(DOCKAPI_DIALECT.failure(PROBLEM))), { type: 'error', code: 'exec_timeout', status: 504 })
})

t.test('v5.channel.k8s.io', async (t) => {
  const read = (...bytes: number[]) => CHANNEL_DIALECT.read(Buffer.from(bytes), true)
  t.same(read(0, 104, 105), { type: 'stdin', bytes: Buffer.from('hi') })
  t.same(read(255, 0), { type: 'eof' })
  t.same(CHANNEL_DIALECT.read(Buffer.from('\x04{"Width":80,"Height":24}'), true), { type: 'resize', size: { cols: 80, rows: 24 } })
  for (const bytes of [[], [1, 65], [3], [4], [4, 123], [255], [255, 1], [5]]) t.match(read(...bytes), { type: 'invalid' }, bytes.join())
  t.same(CHANNEL_DIALECT.started('abc'), Buffer.of(1))
  t.same(CHANNEL_DIALECT.output('stdout', Buffer.from('o')), Buffer.from('\x01o'))
  const status = (message: string | Buffer) => {
    t.equal(message[0], 3)
    return JSON.parse(message.toString().slice(1)) as unknown
  }
  t.match(status(CHANNEL_DIALECT.exit(0, false)), { kind: 'Status', status: 'Success' })
  t.match(status(CHANNEL_DIALECT.exit(9, false)), { status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '9' }] } })
  t.match(status(CHANNEL_DIALECT.failure(PROBLEM)), { status: 'Failure', reason: 'Timeout', message: 'Too late.', code: 504 })
})
