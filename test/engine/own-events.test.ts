import { once } from 'node:events'
import { get } from 'node:http'
import type { IncomingMessage } from 'node:http'
import t from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import type { Tombstone } from '../../schemas/tombstones.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createTestEngine, nodeImage, TEST_RUN } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { openStream } from '../support/stream-client.ts'
import type { Received } from '../support/stream-client.ts'

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const body = { image, container_port: 8080, init: true, command: ['node', '--input-type=module', '--eval', APPLICATION] }
const isAction = (action: string) => ({ data }: Received) => data.action === action
const actionsOf = (events: Received[]) => events.map(({ data }) => data.action)

t.test('ready, drained and tombstoned are told in their order, and again to who resumes', async (t) => {
  const { app, url } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0' })
  const api = createClient(url)
  const name = `own-${TEST_RUN.replace('.', '-')}`
  const address = `${url}/events?type=dockapi&container=${name}`
  const stream = await openStream(t, address, { form: 'sse' })
  const { id, urls } = (await api.run<RunResult>({ ...body, name })).body
  const [ready] = await stream.until(isAction('ready'))
  t.match(ready, { event: 'dockapi', data: { subject: { id, name }, attributes: { 'dockapi.managed': 'true' } } })
  const [answer] = await once(get({ host: '127.0.0.1', port: app.gateway.port, headers: { host: new URL(urls!.host!).host } }), 'response') as [IncomingMessage]
  t.equal(answer.resume().statusCode, 200, 'and it can take requests then')
  await api.post(`/containers/${id}/restart`)
  t.same(actionsOf(await stream.until(isAction('ready'))), ['drained', 'ready'])
  await api.delete(`/containers/${id}?force=true`)
  const rest = await stream.until(isAction('tombstoned'))
  t.equal(actionsOf(rest).at(-1), 'tombstoned')
  const again = await openStream(t, `${address}&timeout=0`, { form: 'sse', lastId: ready!.id })
  const seen = await again.rest()
  t.same(actionsOf(seen.slice(0, -1)), ['drained', 'ready', ...actionsOf(rest)])
  t.same(seen.at(-2), rest.at(-1))
})

t.test('a token that is narrowed to some containers is told of no others, and sees none that are gone', async (t) => {
  const admin = 'a-token-of-the-administrator-0123456789'
  const { url } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0', DOCKAPI_TOKEN: admin })
  const call = async <T> (token: string, method: string, path: string, document?: object) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json', ...(document === undefined ? {} : { 'content-type': 'application/json' }) }
    const answer = await fetch(`${url}${path}`, { method, headers, ...(document === undefined ? {} : { body: JSON.stringify(document) }) })
    return { status: answer.status, body: await answer.json() as T }
  }
  const { token } = (await call<{ token: string }>(admin, 'POST', '/tokens', { name: 'narrow', scopes: ['read', 'logs'], labels: { team: 'a' } })).body
  const run = async (team: string) => (await call<RunResult>(admin, 'POST', '/containers/run', { ...body, labels: { team } })).body.id
  const [mine, other] = await Promise.all([run('a'), run('b')])
  for (const id of [mine, other]) t.equal((await call(admin, 'DELETE', `/containers/${id}?force=true`)).status, 200)
  t.match(await call(token, 'GET', `/containers/${mine}`), { status: 410, body: { code: 'container_removed', tombstone: { id: mine } } })
  t.match(await call(token, 'GET', `/containers/${other}`), { status: 404 })
  t.match(await call(token, 'GET', `/containers/${other}/logs`), { status: 404 })
  t.same((await call<Tombstone[]>(token, 'GET', '/tombstones')).body.map(({ id }) => id), [mine])
  const told = (await call<{ events: Array<{ subject: { id: string } }> }>(token, 'GET', '/events?type=dockapi&since=1h&timeout=0')).body.events.map(({ subject }) => subject.id)
  t.ok(told.includes(mine))
  t.notOk(told.includes(other))
})

t.end()
