import { once } from 'node:events'
import t from 'tap'
import type { TokenRequest } from '../../schemas/tokens.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { openSocket, refusedSocket } from '../support/socket-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t)
const { id } = await startTestContainer(engine, { image, command: ['sleep', '600'], labels: { 'dockapi.managed': 'true' } })
const admin = create({ scopes: ['admin'] })

function create (request: Omit<TokenRequest, 'name'>, name = `t-${Math.random().toString(36).slice(2)}`) {
  const { token } = app.tokens.create({ name, ...request })
  const headers = { authorization: `Bearer ${token}` }
  return { ...createClient(url, headers), name, headers }
}

async function ticketOf (client: ReturnType<typeof create>): Promise<string> {
  return (await client.post<{ ticket: string }>('/tickets')).body.ticket
}

const path = (...command: string[]) => `${url}/containers/${id}/exec?${new URLSearchParams(command.map((word): [string, string] => ['command', word]))}`
const runs = async (word: string) => (await admin.post<{ stdout: string }>(`/containers/${id}/exec`, { command: 'ps -o args' })).body.stdout.includes(word)

t.test('a ticket opens one command, in the query or as one more subprotocol, and only with the scope', async (t) => {
  const runner = create({ scopes: ['exec'] })
  const inQuery = await openSocket(t, `${path('echo', 'hi')}&ticket=${await ticketOf(runner)}`)
  t.match(await inQuery.nextJson(), { type: 'started' })
  const ticket = await ticketOf(runner)
  const offered = await openSocket(t, path('echo', 'hi'), { protocols: ['dockapi.exec.v1', ticket] })
  t.equal(offered.ws.protocol, 'dockapi.exec.v1')
  t.match(await offered.nextJson(), { type: 'started' })
  t.match(await refusedSocket(t, path('echo', 'hi'), { protocols: ['dockapi.exec.v1', ticket] }), { status: 401, body: { code: 'unauthorized' } })
  t.match(await refusedSocket(t, path('echo', 'hi')), { status: 401, body: { code: 'unauthorized' } })
  const reader = create({ scopes: ['read', 'logs'] })
  t.match(await refusedSocket(t, path('echo', 'hi'), { protocols: ['dockapi.exec.v1', await ticketOf(reader)] }), { status: 403, body: { code: 'scope_missing' } })
})

t.test('a browser that offers its ticket beside the protocol of streams gets that protocol', async (t) => {
  const reader = create({ scopes: ['logs'] })
  const logs = await openSocket(t, `${url}/containers/${id}/logs?follow=true`, { protocols: ['dockapi.events.v1', await ticketOf(reader)] })
  t.equal(logs.ws.protocol, 'dockapi.events.v1')
  t.match(await refusedSocket(t, `${url}/containers/${id}/logs`, { protocols: [await ticketOf(reader)] }), { status: 400, body: { code: 'invalid_request' } })
})

t.test('the log under /api is a WebSocket too', async (t) => {
  const { id: talks } = await startTestContainer(engine, { image, command: ['echo', 'hello'], labels: { 'dockapi.managed': 'true' } })
  const logs = await openSocket(t, `${url}/api/containers/${talks}/logs`, { headers: admin.headers })
  t.match((await logs.rest()).slice(-2), [{ event: 'log', line: /hello/ }, { event: 'end' }])
  t.equal((await logs.closed()).code, 1000)
  t.match(await refusedSocket(t, `${url}/api/containers/unknown/logs`, { headers: admin.headers }), { status: 404, body: { code: 'container_not_found' } })
})

t.test('S5: a page of elsewhere runs nothing, ticket or not', async (t) => {
  for (const origin of ['https://evil.test', 'null']) {
    const ticket = await ticketOf(admin)
    t.match(await refusedSocket(t, `${path('sleep', '4711')}&ticket=${ticket}`, { origin }), { status: 403, body: { code: 'origin_not_allowed' } })
  }
  t.equal(await runs('4711'), false)
})

t.test('a token for certain commands runs, sees and ends no others', async (t) => {
  const narrow = create({ scopes: ['exec'], commands: ['sleep'] })
  const { headers } = narrow
  const other = await openSocket(t, path('cat'), { headers: admin.headers })
  const { exec_id: otherId } = (await other.nextJson<{ exec_id: string }>())!
  const restricted = { status: 403, body: { code: 'token_restricted' } }
  for (const query of [path('cat'), path('sh', '-c', 'sleep 1'), `${path('sleep', '4712')}&env=PATH%3D/tmp`, `${path('sleep', '4712')}&user=root`, `${path('sleep', '4712')}&workdir=/tmp`]) {
    t.match(await refusedSocket(t, query, { headers }), restricted, query)
  }
  for (const more of [{ command: 'cat' }, { command: 'sleep 4712', env: { PATH: '/tmp' } }, { command: 'cat', detach: true }]) {
    t.match(await narrow.post(`/containers/${id}/exec`, more), restricted)
    t.equal((await fetch(`${url}/containers/${id}/exec`, { method: 'POST', headers: { ...headers, 'content-type': 'application/json', accept: 'application/x-ndjson' }, body: JSON.stringify(more) })).status, 403)
  }
  t.equal(await runs('4712'), false)
  const own = await openSocket(t, path('sleep', '4713'), { headers })
  await own.nextJson()
  const seen = (await narrow.get<{ command: string[] }[]>(`/containers/${id}/execs`)).body
  t.same(seen.map(({ command }) => command), [['sleep', '4713']])
  t.match(await narrow.delete(`/containers/${id}/execs/${otherId}`), { status: 404, body: { code: 'exec_not_found' } })
  t.equal(other.ws.readyState, other.ws.OPEN)
})

t.test('S21: a command ends with the token that runs it, within a second', async (t) => {
  const { name, headers } = create({ scopes: ['exec'] })
  const socket = await openSocket(t, path('sleep', '4714'), { headers })
  await socket.nextJson()
  const closed = once(socket.ws, 'close')
  const began = performance.now()
  t.equal((await admin.delete(`/tokens/${name}`)).status, 200)
  await closed
  t.ok(performance.now() - began < 1_000, `${Math.round(performance.now() - began)} ms`)
  await until(async () => !await runs('4714'))
})

t.end()
