import t from 'tap'
import type { Problem } from '../../schemas/problem.ts'
import { createTestApp } from '../support/app.ts'
import { createLog } from '../support/log.ts'

const log = createLog()
const app = await createTestApp(t, {}, log)

t.test('one id is in the answer, in the problem and in every line of the log', async (t) => {
  for (const url of ['/livez', '/nowhere', '/audit?limit=x', '/%zz']) {
    const before = log.raw.length
    const answer = await app.inject({ url, headers: { 'x-request-id': 'from-the.proxy_1' } })
    t.equal(answer.headers['x-request-id'], 'from-the.proxy_1', url)
    if (answer.statusCode >= 400) t.equal(answer.json<Problem>().request_id, 'from-the.proxy_1', url)
    for (const { reqId, msg } of log.lines().slice(before)) t.equal(reqId, 'from-the.proxy_1', `${url}: ${msg}`)
  }
})

t.test('an id that is none is replaced, and no two are the same', async (t) => {
  const ids = await Promise.all(['a b', 'x'.repeat(65), '', '{"a":1}', undefined].map(async (id) => (await app.inject({ url: '/livez', headers: id === undefined ? {} : { 'x-request-id': id } })).headers['x-request-id']))
  for (const id of ids) t.match(id, /^[A-Za-z0-9_-]{12}$/)
  t.equal(new Set(ids).size, ids.length)
})

t.end()
