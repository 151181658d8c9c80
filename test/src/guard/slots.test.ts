import t from 'tap'
import { OPEN, OWNER } from '../../../src/auth/principal.ts'
import { createSlots } from '../../../src/guard/slots.ts'

const LIMITS = { maxStreams: 5, maxExecs: 1, maxPulls: 4, maxBuilds: 2, maxWaits: 2 }
const ANNA = { name: 'anna', tokenId: 'a' }
const BERT = { name: 'bert', tokenId: 'b' }

t.test('no more than the limit at once, and what ends makes room, once', async (t) => {
  const slots = createSlots(LIMITS)
  const free = Array.from({ length: 5 }, () => slots.take('streams', OPEN))
  t.throws(() => slots.take('streams', OWNER), { code: 'too_many_streams', message: /5 .*DOCKAPI_MAX_STREAMS/, retryAfterSeconds: 5 })
  free[0]!()
  free[0]!()
  slots.take('streams', OWNER)
  t.throws(() => slots.take('streams', OWNER), { code: 'too_many_streams' })
})

t.test('one token gets half, rounded up, and the others the rest', async (t) => {
  const slots = createSlots(LIMITS)
  const free = [1, 2, 3].map(() => slots.take('streams', ANNA))
  t.throws(() => slots.take('streams', ANNA), { code: 'too_many_streams', message: /"anna" has 3 .*half of 5/ })
  slots.take('streams', BERT)
  free[0]!()
  slots.take('streams', ANNA)
  slots.take('streams', BERT)
  t.throws(() => slots.take('streams', BERT), { message: /There are 5/ })
  slots.take('execs', ANNA)
  t.throws(() => slots.take('execs', BERT), { code: 'too_many_execs' }, 'a limit of one is one for whoever comes first')
})

t.test('each kind has its own places', async (t) => {
  const slots = createSlots(LIMITS)
  for (const [kind, limit] of [['streams', 5], ['execs', 1], ['pulls', 4], ['builds', 2], ['waits', 2]] as const) {
    for (let count = 0; count < limit; count++) slots.take(kind, OPEN)
    t.throws(() => slots.take(kind, OPEN), { code: `too_many_${kind}` })
  }
})
