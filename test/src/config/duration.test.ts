import t from 'tap'
import { parseDuration } from '../../../src/config/duration.ts'

t.test('a length of time is a number and a unit, and nothing else', async (t) => {
  for (const [text, seconds] of [['90s', 90], ['15m', 900], ['12h', 43_200], ['30d', 2_592_000]] as const) t.equal(parseDuration(text), seconds)
  for (const text of ['', '30', 'd', '0d', '-1d', '1.5h', '1y', '1 d', '1d1h', '9999999999s']) t.equal(parseDuration(text), undefined, text)
})
