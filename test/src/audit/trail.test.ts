import t from 'tap'
import { createTrail } from '../../../src/audit/trail.ts'
import type { AuditRecord } from '../../../src/audit/trail.ts'
import { unasked } from '../../../src/audit/unasked.ts'
import { createAuditTable } from '../../../src/store/audit.ts'
import { openStore } from '../../../src/store/store.ts'
import type { AuditQuery } from '../../../schemas/audit.ts'

const DAY_MS = 86_400_000
const ID = 'ab'.repeat(32)

function rig (keepDays = 30) {
  const store = openStore('memory')
  const table = createAuditTable(store)
  const clock = { now: Date.parse('2026-01-05T10:00:00Z') }
  const logged: AuditRecord[] = []
  const failures: unknown[] = []
  const trail = createTrail({ table, keepDays, log: (entry) => { logged.push(entry) }, onFailure: (error) => { failures.push(error) }, now: () => clock.now })
  const record = (told: Partial<AuditRecord> = {}) => { trail.record(unasked({ principal: 'ci', operation: 'stopContainer', time: new Date(clock.now).toISOString(), ...told })) }
  const list = (query: Partial<AuditQuery> = {}) => trail.list({ limit: 100, ...query }).entries
  return { store, table, clock, logged, failures, trail, record, list }
}

t.test('an entry comes back as it was recorded, the last first, and the log got the same', async (t) => {
  const { record, list, logged, clock } = rig()
  record({ container: 'web', container_id: ID, image: 'nginx:1', status: 200, duration_ms: 1.5, request_id: 'r-1', peer: '127.0.0.1' })
  clock.now += 1_000
  record({ operation: 'removeContainer', result: 'container_running', status: 409 })
  const [last, first] = list()
  t.match(last, { id: 2, operation: 'removeContainer', result: 'container_running', time: '2026-01-05T10:00:01.000Z' })
  t.same(first, { id: 1, ...logged[0]! })
  t.match(first, { time: '2026-01-05T10:00:00.000Z', principal: 'ci', container: 'web', container_id: ID, image: 'nginx:1', request_id: 'r-1', peer: '127.0.0.1', subject: null })
})

t.test('each filter keeps what it names and nothing else', async (t) => {
  const { record, list, clock } = rig()
  record({ container: 'web', container_id: ID })
  clock.now += 60_000
  record({ principal: 'laptop', operation: 'removeContainer', container: 'db', container_id: 'cd'.repeat(32), result: 'policy_denied' })
  clock.now += 60_000
  record({ principal: 'nobody', operation: 'runContainer', result: 'unauthorized' })
  const ids = (query: Partial<AuditQuery>) => list(query).map(({ id }) => id)
  t.same(ids({ principal: 'laptop' }), [2])
  t.same(ids({ operation: 'runContainer' }), [3])
  for (const container of ['web', ID, ID.slice(0, 12)]) t.same(ids({ container }), [1], container)
  t.same(ids({ container: ID.slice(0, 11) }), [], 'too short to be meant')
  t.same(ids({ result: 'ok' }), [1])
  t.same(ids({ result: 'failed' }), [3, 2])
  t.same(ids({ result: 'policy_denied' }), [2])
  t.same(ids({ since: '90s' }), [3, 2])
  t.same(ids({ until: '2026-01-05T10:01:00Z' }), [1])
  t.same(ids({ since: '2026-01-05T10:01:00Z', until: '30s' }), [2])
  t.same(ids({ since: '90s', result: 'failed', principal: 'nobody' }), [3])
  t.same(ids({ principal: "' OR 1=1 --" }), [])
  t.throws(() => list({ since: 'yesterday' }), { code: 'invalid_request', fields: [{ where: 'query', pointer: '/since' }] })
})

t.test('pages follow each other without a gap, also while entries are written', async (t) => {
  const { record, trail } = rig()
  for (let count = 0; count < 7; count++) record()
  const seen: number[] = []
  let cursor: number | undefined
  do {
    const page = trail.list({ limit: 3, ...(cursor === undefined ? {} : { cursor }) })
    seen.push(...page.entries.map(({ id }) => id))
    cursor = page.nextCursor
    record()
  } while (cursor !== undefined)
  t.same(seen, [7, 6, 5, 4, 3, 2, 1])
})

t.test('what is too old is forgotten', async (t) => {
  const { record, list, trail, clock } = rig(2)
  record({ subject: 'old' })
  clock.now += DAY_MS + 1
  record({ subject: 'young' })
  clock.now += DAY_MS
  trail.prune()
  t.same(list().map(({ subject }) => subject), ['young'])
})

t.test('nobody can push the others out by being refused', async (t) => {
  const { record, list, table } = rig()
  record({ subject: 'kept' })
  for (let count = 0; count < 20; count++) record({ principal: 'nobody', result: 'unauthorized' })
  table.prune(0, 15, 5)
  t.same(list().map(({ id, principal }) => `${id} ${principal}`), ['21 nobody', '20 nobody', '19 nobody', '18 nobody', '17 nobody', '1 ci'])
  table.prune(0, 3, 5)
  t.equal(list().length, 3)
})

t.test('0 days keep nothing, and the log still says it', async (t) => {
  const { record, list, logged } = rig(0)
  record()
  t.same(list(), [])
  t.equal(logged.length, 1)
})

t.test('a store that cannot write is told of, and undoes nothing', async (t) => {
  const { record, store, failures, logged, trail } = rig()
  store.close()
  record()
  t.equal(failures.length, 1)
  t.equal(logged.length, 1)
  trail.prune()
  t.equal(failures.length, 2, 'nor does it end the process that prunes on a timer')
})

t.test('nothing that a terminal obeys, or a reader does not see, is in an entry; what is long is cut', async (t) => {
  const { record, list } = rig()
  record({ container: 'a\u001b]52;c;AAAA\u0007\r\n{"fake":1}', image: 'safe\u202egpj.exe\u009b31m', subject: `${'x'.repeat(600)}` })
  const [entry] = list()
  t.equal(entry!.container, 'a\\u001b]52;c;AAAA\\u0007\\u000d\\u000a{"fake":1}')
  t.equal(entry!.image, 'safe\\u202egpj.exe\\u009b31m')
  t.equal(entry!.subject!.length, 513)
})
