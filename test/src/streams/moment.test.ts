import t from 'tap'
import { parseMoment } from '../../../src/streams/logs.ts'

t.test('Unix seconds, RFC 3339 and ages', async (t) => {
  const nowMs = Date.parse('2026-01-05T10:00:00Z')
  t.equal(parseMoment('1700000000', '/since', nowMs), '1700000000')
  t.equal(parseMoment('1700000000.123456789', '/since', nowMs), '1700000000.123456789')
  t.equal(parseMoment('2026-01-05T09:59:30.500Z', '/since', nowMs), '1767607170.500')
  t.equal(parseMoment('2026-01-05T11:00:00+01:00', '/since', nowMs), '1767607200.000')
  t.equal(parseMoment('10m', '/since', nowMs), '1767606600.000')
  t.equal(parseMoment('500ms', '/since', nowMs), '1767607199.500')
  t.throws(() => parseMoment('2026-13-45', '/until', nowMs), { code: 'invalid_request', fields: [{ pointer: '/until' }] })
})
