import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { busyboxImage, createTestEngine, startTestContainer } from '../support/engine.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t, { DOCKAPI_MAX_STREAMS: '100', DOCKAPI_MAX_EXECS: '20', DOCKAPI_MAX_WAITS: '4', DOCKAPI_MAX_PULLS: '2', DOCKAPI_MAX_BUILDS: '1' })
const { id } = await startTestContainer(engine, { image, command: ['sh', '-c', 'while true; do echo tick; sleep 0.2; done'], labels: { 'dockapi.managed': 'true' } })
const greedy = app.tokens.create({ name: 'greedy', scopes: ['admin'] }).token
const other = app.tokens.create({ name: 'other', scopes: ['admin'] }).token
const api = createClient(url, { authorization: `Bearer ${other}` })

/** Sends so many requests at once and keeps those that are answered open. */
async function flood (count: number, path: string, init: RequestInit = {}) {
  const leaving = new AbortController()
  const headers = { authorization: `Bearer ${greedy}`, ...init.headers }
  const answers = await Promise.all(Array.from({ length: count }, async () => await fetch(url + path, { ...init, headers, signal: leaving.signal })))
  const refused = answers.filter(({ status }) => status === 429)
  return { open: answers.filter(({ status }) => status === 200).length, refused, leave: () => { leaving.abort() } }
}

t.test('S24: one token that follows 500 logs and runs 100 commands is capped, and others go on', async (t) => {
  const logs = await flood(500, `/containers/${id}/logs?follow=true`)
  const exec = { method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' }, body: JSON.stringify({ command: ['sleep', '300'] }) }
  const execs = await flood(100, `/containers/${id}/exec`, exec)
  t.same([logs.open, logs.refused.length], [50, 450])
  t.same([execs.open, execs.refused.length], [10, 90])
  t.equal(logs.refused[0]!.headers.get('retry-after'), '5')
  t.match(await logs.refused[0]!.json(), { code: 'too_many_streams', detail: /"greedy".*DOCKAPI_MAX_STREAMS/, retryable: true })
  t.match(await execs.refused[0]!.json(), { code: 'too_many_execs', detail: /DOCKAPI_MAX_EXECS/ })

  t.equal((await api.get(`/containers/${id}`)).status, 200)
  t.equal((await api.post(`/containers/${id}/exec`, { command: ['true'] })).status, 200, 'a command of another token')
  t.equal((await fetch(`${url}/containers/${id}/logs`, { headers: { authorization: `Bearer ${other}` } })).status, 200, 'a log of another token')
  t.equal((await fetch(`${url}/containers/${id}`, { headers: { authorization: `Bearer ${greedy}` } })).status, 200, 'other calls of this one')

  logs.leave()
  execs.leave()
  await until(() => app.streams.open === 0)
  await until(async () => (await fetch(`${url}/containers/${id}/exec`, { ...exec, body: JSON.stringify({ command: ['true'] }), headers: { ...exec.headers, authorization: `Bearer ${greedy}` } })).status === 200)
  t.pass('what has ended makes room')
})

t.test('requests that wait are counted', async (t) => {
  const first = [1, 2].map(async () => await fetch(`${url}/containers/${id}/wait?timeout=300`, { method: 'POST', headers: { authorization: `Bearer ${greedy}` } }).catch(() => {}))
  const refused = async (path: string) => await fetch(url + path, { method: 'POST', headers: { authorization: `Bearer ${greedy}` } })
  await until(async () => (await refused(`/containers/${id}/wait?timeout=1`)).status === 429)
  t.match(await (await refused(`/containers/${id}/wait`)).json(), { code: 'too_many_waits' })
  t.match(await (await refused(`/containers/${id}/start?wait_ready=true`)).json(), { code: 'too_many_waits' })
  t.equal((await api.call('POST', `/containers/${id}/start`)).status, 200)
  await api.call('POST', `/containers/${id}/kill`)
  await Promise.all(first)
})

t.test('so are builds', async (t) => {
  const leaving = new AbortController()
  const build = (token: string, dockerfile: string, signal?: AbortSignal) => fetch(`${url}/images/build`, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/x-ndjson' }, body: JSON.stringify({ dockerfile }), ...(signal === undefined ? {} : { signal })
  })
  const first = await build(greedy, `FROM ${image}\nRUN sleep 300`, leaving.signal)
  t.equal(first.status, 200)
  const second = await build(other, `FROM ${image}`)
  t.equal(second.status, 429)
  t.match(await second.json(), { code: 'too_many_builds', detail: /DOCKAPI_MAX_BUILDS/ })
  leaving.abort()
})

t.test('pulls are counted, and containers in the making', async (t) => {
  const registry = createServer(() => {}).listen(0, '127.0.0.1')
  t.after(() => { registry.close().closeAllConnections() })
  await once(registry, 'listening')
  const image = `127.0.0.1:${(registry.address() as AddressInfo).port}/never`
  const leaving = new AbortController()
  const pull = async (token: string, signal: AbortSignal | null = null) => await fetch(`${url}/images/pull`, {
    method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/x-ndjson' }, body: JSON.stringify({ image }), signal
  })
  const first = pull(greedy, leaving.signal).catch(() => {})
  await once(registry, 'connection')
  const second = await pull(greedy)
  t.equal(second.status, 429)
  t.match(await second.json(), { code: 'too_many_pulls', detail: /"greedy" has 1.*DOCKAPI_MAX_PULLS/ })
  leaving.abort()
  await first

  const launch = (count: number) => api.post('/api/containers', { image, name: `limits-${process.pid}-${count}` })
  const launched = await Promise.all(Array.from({ length: 50 }, (_, count) => launch(count)))
  t.same([...new Set(launched.map(({ status }) => status))], [200])
  const refused = await launch(50)
  t.equal(refused.status, 429)
  t.match(refused.body, { code: 'too_many_launches' })
  await Promise.all(launched.map(({ body: { id } }) => api.delete(`/api/containers/${String(id)}`)))
})

t.end()
