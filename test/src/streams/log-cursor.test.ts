import t from 'tap'
import { createLogCursor } from '../../../src/streams/log-cursor.ts'

const START_MS = Date.parse('2026-01-05T10:00:00Z')
/** A time as the engine writes it. */
const stamp = (ms: number) => `${new Date(START_MS + ms).toISOString().slice(0, -1)}000000Z`
/** What the engine gives for `since`: every line of that time or later, in the order of the log. */
const from = (log: string[], since: string) => log.filter((time) => Date.parse(time) / 1000 >= Number(since))

t.test('whatever line was the last, exactly the lines after it come', async (t) => {
  // Out of order by up to 700 ms, with several of one time, over 8 seconds. Not in the first second: what is stamped before the first line that
  // was read cannot be told from what stood before it.
  const log = Array.from({ length: 400 }, (_, index) => stamp(index * 20 + (index > 50 && index * 7919 % 8 === 0 ? -(index * 31 % 700) : 0) + 1000))
  const cursor = createLogCursor()
  const ids = log.map((time) => cursor.take(time)!)
  t.equal(new Set(ids).size, log.length)
  for (const [index, id] of ids.entries()) {
    const resumed = createLogCursor(id)
    const taken = from(log, resumed.since!).map((time) => resumed.take(time)).filter((taken) => taken !== undefined)
    t.equal(taken.length, log.length - index - 1, id)
  }
})

t.test('ids go on after a resume of a resume', async (t) => {
  const log = Array.from({ length: 300 }, (_, index) => stamp(index * 30))
  let lastId: string | undefined
  let count = 0
  while (count < log.length) {
    const cursor = createLogCursor(lastId)
    const taken = (cursor.since === undefined ? log : from(log, cursor.since)).map((time) => cursor.take(time)).filter((id) => id !== undefined)
    t.equal(taken.length, log.length - count)
    lastId = taken[Math.min(36, taken.length - 1)]
    count += Math.min(37, taken.length)
  }
})

t.test('nanoseconds and zones are kept', async (t) => {
  t.equal(createLogCursor('2026-01-05T10:00:00.123456789Z~1').since, `${START_MS / 1000}.123456789`)
  t.equal(createLogCursor('2026-01-05T12:00:00.000000001+02:00~1').since, `${START_MS / 1000}.000000001`)
})

t.test('a log that is opened anew goes on where it was', async (t) => {
  const cursor = createLogCursor()
  cursor.take(stamp(0))
  const last = cursor.take(stamp(1))
  cursor.rewind()
  t.equal(cursor.take(stamp(0)), undefined)
  t.equal(cursor.take(stamp(1)), undefined)
  t.not(cursor.take(stamp(2)), last)
})

t.end()
