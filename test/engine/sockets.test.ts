import { once } from 'node:events'
import type { Socket } from 'node:net'
import t from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'
import { openSocket, refusedSocket } from '../support/socket-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t, { DOCKAPI_MAX_STREAMS: '5' })
const api = createClient(url)

async function run (script: string, body: Record<string, unknown> = {}) {
  return (await api.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', script], ...body })).body.id
}

t.test('a log comes line by line, the last message says why it ended, and the code says the same', async (t) => {
  const id = await run('echo one; echo two >&2')
  await api.post(`/containers/${id}/wait`)
  const { ws, rest, closed } = await openSocket(t, `${url}/containers/${id}/logs?follow=true`)
  const messages = await rest()
  t.match(messages.filter(({ event }) => event === 'log').map(({ stream, line }) => `${String(stream)} ${String(line)}`).sort(), ['stderr two', 'stdout one'])
  t.same(messages.at(-1), { event: 'end', reason: 'container_ended' })
  t.same(await closed(), { code: 1000, reason: 'container_ended' })
  t.equal(ws.protocol, '')
})

t.test('it goes on after an id that the query names, for a browser sends no headers', async (t) => {
  const id = await run('for i in 1 2 3; do echo $i; done')
  await api.post(`/containers/${id}/wait`)
  const [first] = await (await openSocket(t, `${url}/containers/${id}/logs`)).rest()
  const { rest } = await openSocket(t, `${url}/containers/${id}/logs?last_event_id=${encodeURIComponent(String(first!.id))}`)
  t.same((await rest()).map(({ line }) => line), ['2', '3', undefined])
})

t.test('events and stats', async (t) => {
  const name = `sockets-${process.pid}`
  const events = await openSocket(t, `${url}/events?type=container&action=start&limit=1&container=${name}`)
  const id = await run('sleep 300', { name })
  t.match(await events.rest(), [{ event: 'container', action: 'start', subject: { id } }, { event: 'end', reason: 'limit_reached' }])
  const stats = await openSocket(t, `${url}/containers/${id}/stats`)
  t.match(await stats.nextJson(), { event: 'stats', container_id: id })
  await api.delete(`/containers/${id}?force=true`)
  t.match((await stats.rest()).at(-1), { event: 'end' })
})

t.test('what cannot be had is refused before the switch, as a problem document', async (t) => {
  const id = await run('true')
  await api.post(`/containers/${id}/wait`)
  t.match(await refusedSocket(t, `${url}/containers/nobody/logs`), { status: 404, headers: { 'content-type': /problem\+json/ }, body: { code: 'container_not_found' } })
  t.match(await refusedSocket(t, `${url}/containers/${id}/logs?tail=some`), { status: 400, body: { code: 'invalid_request' } })
  t.match(await refusedSocket(t, `${url}/containers/${id}/stats`), { status: 409, body: { code: 'container_not_running' } })
  t.match(await refusedSocket(t, `${url}/nothing`), { status: 404, body: { code: 'route_not_found' } })
})

t.test('a client that leaves frees the stream', async (t) => {
  const id = await run('while :; do echo tick; sleep 0.05; done')
  for (const leave of ['close', 'terminate'] as const) {
    const { ws, next } = await openSocket(t, `${url}/containers/${id}/logs?follow=true`)
    await next()
    t.equal(app.streams.open, 1)
    const leftAt = performance.now()
    ws[leave]()
    await until(() => app.streams.open === 0)
    t.ok(performance.now() - leftAt < 1000)
  }
})

t.test('sockets are counted with the other streams', async (t) => {
  const id = await run('sleep 300')
  const open = await Promise.all(Array.from({ length: 5 }, () => openSocket(t, `${url}/containers/${id}/logs?follow=true`)))
  t.match(await refusedSocket(t, `${url}/containers/${id}/logs?follow=true`), { status: 429, headers: { 'retry-after': '5' }, body: { code: 'too_many_streams' } })
  for (const { ws } of open) ws.close()
  await until(() => app.streams.open === 0)
})

t.test('S24: a client that does not read stops the log, and memory does not grow', async (t) => {
  const id = await run('yes 0123456789012345678901234567890123456789')
  const accepted = once(app.server, 'connection') as Promise<[Socket]>
  const { ws, next } = await openSocket(t, `${url}/containers/${id}/logs?follow=true&tail=0`)
  const [server] = await accepted
  await next()
  ws.pause()
  const sent = () => server.bytesWritten
  let before = -1
  while (sent() !== before) {
    before = sent()
    await new Promise((resolve) => { setTimeout(resolve, 200) })
  }
  t.ok(before < 16 * 1024 ** 2, 'no more than the buffers of both sides')
  ws.terminate()
  await until(() => app.streams.open === 0)
  await api.delete(`/containers/${id}?force=true`)
})

t.test('a shutdown says so, last', async (t) => {
  const { app: other, url: otherUrl } = await listenTestApp(t)
  const id = await run('sleep 300')
  const sockets = await Promise.all(['logs?follow=true', 'stats'].map((path) => openSocket(t, `${otherUrl}/containers/${id}/${path}`)))
  const closing = other.close()
  for (const { rest, closed } of sockets) {
    t.match((await rest()).at(-1), { event: 'end', reason: 'shutting_down' })
    t.same(await closed(), { code: 1001, reason: 'shutting_down' })
  }
  await closing
})

t.end()
