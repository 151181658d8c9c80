import t from 'tap'
import { takePlace } from '../../../src/containers/places.ts'
import type { Containers } from '../../../src/containers/containers.ts'

/** As many containers as `there`, counted late. */
function containersOf (maxContainers: number | undefined, there: string[]): Containers {
  const engine = { call: async () => { await new Promise(setImmediate); return there } }
  return { engine, config: { maxContainers }, grant: {}, list: async () => [] } as unknown as Containers
}

t.test('of those who ask at once only as many get a place as there are', async (t) => {
  const there = ['one']
  const containers = containersOf(3, there)
  const asked = await Promise.allSettled(Array.from({ length: 6 }, () => takePlace(containers)))
  const given = asked.filter((result) => result.status === 'fulfilled')
  t.equal(given.length, 2)
  for (const result of asked) if (result.status === 'rejected') t.match(result.reason, { code: 'policy_denied', hint: 'DOCKAPI_MAX_CONTAINERS would allow it.', details: { denials: [{ rule: 'Containers' }] } })
  given[0]!.value()
  const giveBack = await takePlace(containers)
  await t.rejects(takePlace(containers), { code: 'policy_denied' })
  giveBack()
  given[1]!.value()
  there.push('two', 'three')
  await t.rejects(takePlace(containers), { code: 'policy_denied', message: /may have made 3 containers, and there are 3/ })
})

t.test('without a limit nothing is counted', async (t) => {
  const containers = { engine: { call: async () => { throw new Error('asked') } }, config: {}, grant: {} } as unknown as Containers
  await t.resolves(takePlace(containers))
})
