import t from 'tap'
import { isEndingSignal } from '../../../src/gateway/signals.ts'

await t.test('the signals of stop and kill end a container, and the one of its image; others are messages to it', async (t) => {
  for (const signal of ['9', '15', 'SIGKILL', 'TERM', 'sigterm']) t.ok(isEndingSignal(signal), signal)
  for (const signal of ['1', 'SIGHUP', 'USR1', 'WINCH', '', 'x']) t.notOk(isEndingSignal(signal), signal)
  t.ok(isEndingSignal('3', 'SIGQUIT'))
  t.notOk(isEndingSignal('3', 'SIGTERM'))
})
