import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { DockApiError } from '../../../src/errors.ts'
import type { Engine } from '../../../src/engine/engine.ts'
import { createPulls } from '../../../src/images/pulls.ts'
import type { PullProgress } from '../../../schemas/images.ts'

/** An engine whose pulls go on until the test ends them. */
function createFakeEngine () {
  const streams: Array<{ stream: PassThrough, signal: AbortSignal }> = []
  const engine = {
    async open (_operation: string, _run: unknown, { signal }: { signal: AbortSignal }) {
      const stream = new PassThrough()
      streams.push({ stream, signal })
      return stream
    },
    async call () { return { Id: 'sha256:1' } }
  } as unknown as Engine
  return { engine, streams }
}

const PERMISSIVE = { enforceImage: (reference: string) => reference }

const line = (data: object) => `${JSON.stringify(data)}\r\n`

t.test('callers of one image share one pull, and a late one learns at once how far it is', async (t) => {
  const { engine, streams } = createFakeEngine()
  const pulls = createPulls(engine, () => ({}), PERMISSIVE)
  const seen: PullProgress[] = []
  const first = pulls.pull({ image: 'a:1' })
  await turn()
  streams[0]!.stream.write(line({ id: 'l1', status: 'Downloading', progressDetail: { current: 5, total: 9 } }))
  await turn()
  const second = pulls.pull({ image: 'a:1' }, { onProgress: (progress) => { seen.push(progress) } })
  await turn()
  t.match(seen, [{ layer: 'l1', downloaded_bytes: 5, total_bytes: 9 }])
  streams[0]!.stream.end(line({ status: 'Status: Downloaded newer image for a:1' }))
  t.same(await first, { id: 'sha256:1', image: 'a:1', status: 'downloaded' })
  t.same(await second, await first)
  t.equal(streams.length, 1)
})

t.test('another platform or other credentials are another pull', async (t) => {
  const { engine, streams } = createFakeEngine()
  const pulls = createPulls(engine, () => ({ 'r.test': { username: 'u', password: 'from-file' } }), PERMISSIVE)
  const all = [
    pulls.pull({ image: 'r.test/a:1' }),
    pulls.pull({ image: 'r.test/a:1', auth: { username: 'u', password: 'from-file' } }),
    pulls.pull({ image: 'r.test/a:1', platform: 'linux/arm64' }),
    pulls.pull({ image: 'r.test/a:1', auth: { username: 'u', password: 'other' } })
  ]
  await turn()
  t.equal(streams.length, 3, 'the same credentials, from wherever, are the same')
  for (const { stream } of streams) stream.end()
  await Promise.all(all)
})

t.test('who leaves takes nothing from the others; the last one to leave ends the pull', async (t) => {
  const { engine, streams } = createFakeEngine()
  const pulls = createPulls(engine, () => ({}), PERMISSIVE)
  const [one, two] = [new AbortController(), new AbortController()]
  const first = t.rejects(pulls.pull({ image: 'a:1' }, { signal: one.signal }), { code: 'client_gone' })
  const second = t.rejects(pulls.pull({ image: 'a:1' }, { signal: two.signal }), { code: 'client_gone' })
  await turn()
  one.abort()
  await first
  t.notOk(streams[0]!.signal.aborted)
  two.abort()
  await second
  t.ok(streams[0]!.signal.aborted)
  const again = pulls.pull({ image: 'a:1' })
  await turn()
  t.equal(streams.length, 2, 'who comes now begins anew')
  streams[1]!.stream.end()
  await again
})

t.test('what fails fails for all, and the next caller asks again', async (t) => {
  const { engine, streams } = createFakeEngine()
  const pulls = createPulls(engine, () => ({}), PERMISSIVE)
  const both = [pulls.pull({ image: 'a:1' }), pulls.pull({ image: 'a:1' })]
  await turn()
  streams[0]!.stream.end(line({ errorDetail: { message: 'manifest for a:1 not found' } }))
  for (const outcome of await Promise.allSettled(both)) t.match(outcome, { status: 'rejected', reason: { code: 'image_not_found' } })
  const again = pulls.pull({ image: 'a:1' })
  await turn()
  t.equal(streams.length, 2)
  streams[1]!.stream.end()
  await again
})

t.test('closing ends every pull and says why', async (t) => {
  const { engine } = createFakeEngine()
  const pulls = createPulls(engine, () => ({}), PERMISSIVE)
  const outcome = t.rejects(pulls.pull({ image: 'a:1' }), { code: 'shutting_down' })
  await turn()
  pulls.close()
  await outcome
})

t.test('an image that the policy refuses is not asked for', async (t) => {
  const { engine, streams } = createFakeEngine()
  const pulls = createPulls(engine, () => ({}), { enforceImage (reference) { throw new DockApiError('policy_denied', reference) } })
  await t.rejects(pulls.pull({ image: 'a:1' }), { code: 'policy_denied', message: 'a:1' })
  t.equal(streams.length, 0)
})
