import t from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import { createClient } from '../support/api.ts'
import { createTestApp, listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'
import { openStream } from '../support/stream-client.ts'
import type { Received } from '../support/stream-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
const { app, url } = await listenTestApp(t)
const api = createClient(url)

async function run (script: string, body: Record<string, unknown> = {}) {
  return (await api.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', script], ...body })).body
}

async function ended (script: string) {
  const { id } = await run(script)
  await api.post(`/containers/${id}/wait`)
  return id
}

const linesOf = (events: Received[]) => events.filter(({ event }) => event === 'log').map(({ data }) => data.line)
const isLine = (line: string) => ({ data }: Received) => data.line === line

t.test('NDJSON: a line for each line with its stream and time, and why it ended', async (t) => {
  const id = await ended('echo one; sleep 0.1; echo two >&2; sleep 0.1; printf "café, no newline"')
  const stream = await openStream(t, `${url}/containers/${id}/logs`)
  t.match(stream.response.headers.get('content-type'), /^application\/x-ndjson/)
  const events = await stream.rest()
  t.match(events, [
    { event: 'log', id: String, data: { stream: 'stdout', time: /^\d{4}-.*\.\d{9}Z$/, line: 'one' } },
    { event: 'log', data: { stream: 'stderr', line: 'two' } },
    { event: 'log', data: { stream: 'stdout', line: 'café, no newline' } },
    { event: 'end', data: { reason: 'complete' } }
  ])
  t.equal(events.length, 4)
})

t.test('until the beginning of time there is nothing, in every form', async (t) => {
  const id = await ended('echo one')
  t.equal(await (await fetch(`${url}/containers/${id}/logs?until=0`)).text(), '')
  t.match(await (await openStream(t, `${url}/containers/${id}/logs?until=0`)).rest(), [{ event: 'end' }])
})

t.test('HEAD tells the form, and no length that GET would not have', async (t) => {
  const { status, headers } = await fetch(`${url}/containers/${await ended('echo one')}/logs?follow=true`, { method: 'HEAD' })
  t.match({ status, type: headers.get('content-type'), length: headers.get('content-length') }, { status: 200, type: /^text\/plain/, length: null })
})

t.test('Server-Sent Events carry the same, with ids and the time after which to come back', async (t) => {
  const id = await ended('echo one; echo two')
  const stream = await openStream(t, `${url}/containers/${id}/logs`, { form: 'sse' })
  t.match(stream.response.headers.get('content-type'), /^text\/event-stream/)
  const events = await stream.rest()
  t.same(linesOf(events), ['one', 'two'])
  t.same(events.at(-1), { event: 'end', data: { reason: 'complete' } })
  const text = await (await fetch(`${url}/containers/${id}/logs`, { headers: { accept: 'text/event-stream' } })).text()
  t.match(text, /^retry: 2000\n\nevent: log\nid: \S+~1\ndata: {"stream":"stdout",/)
})

t.test('an Accept header that fits nothing is 406', async (t) => {
  const id = await ended('true')
  const answer = await fetch(`${url}/containers/${id}/logs`, { headers: { accept: 'image/png, text/plain;q=0' } })
  t.equal(answer.status, 406)
  t.match(await answer.json(), { code: 'not_acceptable', detail: /text\/event-stream/ })
})

t.test('a stream that is taken up again has neither holes nor doubles', async (t) => {
  const { id } = await run('i=0; while [ $i -lt 300 ]; do echo out $i; echo err $i >&2; i=$((i+1)); [ $((i % 20)) -eq 0 ] && sleep 0.2; done; while :; do sleep 1; done')
  const address = `${url}/containers/${id}/logs?follow=true&tail=all`
  const got: Received[] = []
  let lastId: string | undefined
  while (got.length < 600) {
    const stream = await openStream(t, address, { form: 'sse', lastId })
    for (let count = 0; count < 70 && got.length < 600; count++) {
      const event = await stream.next()
      lastId = event!.id
      got.push(event!)
    }
    stream.leave()
  }
  const whole = await openStream(t, `${url}/containers/${id}/logs?tail=all`)
  t.same(linesOf(got), linesOf(await whole.rest()))
  t.equal(new Set(linesOf(got)).size, 600)
})

t.test('an id that is none is refused', async (t) => {
  const id = await ended('true')
  for (const lastId of ['7', '2026-01-05T10:00:00.000000000Z', '2026-99-99T10:00:00.000000000Z~1', 'x'.repeat(300)]) {
    const stream = await openStream(t, `${url}/containers/${id}/logs`, { lastId })
    t.equal(stream.response.status, 400, lastId)
    t.match(await stream.response.json(), { errors: [{ where: 'header', pointer: '/last-event-id' }] })
  }
})

t.test('grep and regex choose lines in every form', async (t) => {
  const id = await ended('echo GET / 200; echo GET /x 404; echo POST /x 500; echo done')
  const answer = await fetch(`${url}/containers/${id}/logs?grep=GET`)
  t.equal(await answer.text(), 'GET / 200\nGET /x 404\n')
  const stream = await openStream(t, `${url}/containers/${id}/logs?regex=${encodeURIComponent('(?i)^(get|post) .* [45]\\d\\d$')}`)
  t.same(linesOf(await stream.rest()), ['GET /x 404', 'POST /x 500'])
  const refused = await api.get(`/containers/${id}/logs?regex=${encodeURIComponent('(a)\\1')}`)
  t.match(refused, { status: 400, body: { errors: [{ pointer: '/regex' }] } })
})

t.test('an expression that takes others for ever is answered', async (t) => {
  const id = await ended('head -c 60000 /dev/zero | tr "\\0" a; echo b')
  const stream = await openStream(t, `${url}/containers/${id}/logs?regex=${encodeURIComponent('^(a+)+$')}`)
  t.same(await stream.rest(), [{ event: 'end', data: { reason: 'complete' } }])
})

t.test('a huge line comes whole, in bounded parts', async (t) => {
  const id = await ended('head -c 200000 /dev/zero | tr "\\0" x; echo; echo after')
  const events = await (await openStream(t, `${url}/containers/${id}/logs?tail=all`)).rest()
  t.same(events.map(({ data }) => [(data.line as string | undefined)?.length, data.partial]), [[65536, true], [65536, true], [65536, true], [3392, undefined], [5, undefined], [undefined, undefined]])
})

t.test('follow ends with the container and says so; follow=restart goes on until it is removed', async (t) => {
  const { id } = await run('echo begin; while [ ! -e /go ]; do sleep 0.05; done; rm /go; echo finish')
  const once = await openStream(t, `${url}/containers/${id}/logs?follow=true`)
  const ever = await openStream(t, `${url}/containers/${id}/logs?follow=restart`, { form: 'sse' })
  await ever.until(isLine('begin'))
  await api.post(`/containers/${id}/exec`, { command: 'touch /go' })
  t.same(await once.rest().then((events) => [linesOf(events), events.at(-1)!.data.reason]), [['begin', 'finish'], 'container_ended'])
  await api.post(`/containers/${id}/wait`)
  await api.post(`/containers/${id}/start`)
  t.same(linesOf(await ever.until(isLine('begin'))), ['finish', 'begin'])
  await api.delete(`/containers/${id}?force=true`)
  t.equal((await ever.rest()).at(-1)?.data.reason, 'container_removed')
})

t.test('a download has the name of its container', async (t) => {
  const { id, name } = await run('echo x')
  const answer = await fetch(`${url}/containers/${id}/logs?download=true`)
  t.equal(answer.headers.get('content-disposition'), `attachment; filename="${name}.log"`)
})

async function openText (address: string) {
  const leaving = new AbortController()
  const { body } = await fetch(address, { signal: leaving.signal })
  await body!.getReader().read()
  return { leave: () => leaving.abort() }
}

t.test('clients that leave free their streams, here and at the engine', async (t) => {
  const chaos = await createChaosSocket(t)
  const { app, url } = await listenTestApp(t, { DOCKER_HOST: chaos.host })
  const { id } = await run('while :; do echo tick; sleep 0.05; done')
  const isOpen = () => app.streams.open
  const streams = await Promise.all(Array.from({ length: 20 }, (_, index) => openStream(t, `${url}/containers/${id}/logs?follow=true`, { form: index % 2 === 0 ? 'sse' : 'ndjson' })))
  await Promise.all(streams.map((stream) => stream.next()))
  t.equal(isOpen(), 20)
  const texts = await Promise.all(Array.from({ length: 20 }, () => openText(`${url}/containers/${id}/logs?follow=true`)))
  const busy = chaos.connections.open
  t.equal(app.logs.open, 1)
  for (const stream of [...streams, ...texts]) stream.leave()
  // The bytes of the text form are the engine's own: each has its stream. The events share one.
  await until(() => isOpen() === 0 && app.logs.open === 0 && chaos.connections.open <= busy - 21)
})

t.test('more streams than allowed are refused, and HEAD opens none', async (t) => {
  const { url } = await listenTestApp(t, { DOCKAPI_MAX_STREAMS: '1' })
  const { id } = await run('echo x; sleep 300')
  const first = await openStream(t, `${url}/containers/${id}/logs?follow=true`)
  await first.next()
  const second = await openStream(t, `${url}/containers/${id}/logs`)
  t.equal(second.response.status, 429)
  t.match(await second.response.json(), { code: 'too_many_streams' })
  t.ok(second.response.headers.get('retry-after'))
  t.equal((await fetch(`${url}/containers/${id}/logs`, { method: 'HEAD' })).status, 200)
})

t.test('shutdown ends streams with a last event, text included', async (t) => {
  const app = await createTestApp(t)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { id } = await run('echo x; sleep 300')
  const address = `${app.listeningOrigin}/containers/${id}/logs`
  const sse = await openStream(t, `${address}?follow=true`, { form: 'sse' })
  const restarting = await openStream(t, `${address}?follow=restart`)
  const text = (await fetch(`${address}?follow=true`)).body!.getReader()
  const [, , { value: first }] = await Promise.all([sse.next(), restarting.next(), text.read()])
  const [, last, other, rest] = await Promise.all([app.close(), sse.rest(), restarting.rest(), text.read()])
  t.same(last, [{ event: 'end', data: { reason: 'shutting_down' } }])
  t.same(other, last)
  t.equal(Buffer.from(first!).toString(), 'x\n')
  t.equal(rest.done, true)
})

t.test('an engine that goes away is the last event; plain text is cut', async (t) => {
  const chaos = await createChaosSocket(t)
  const { url } = await listenTestApp(t, { DOCKER_HOST: chaos.host })
  const { id } = await run('echo x; sleep 300')
  const stream = await openStream(t, `${url}/containers/${id}/logs?follow=true`, { form: 'sse' })
  await stream.next()
  const text = await fetch(`${url}/containers/${id}/logs?follow=true`)
  await chaos.stop()
  t.match(await stream.rest(), [{ event: 'end', data: { reason: 'engine_lost', code: 'engine_unavailable' } }])
  await t.rejects(text.text())
})

t.test('after all that nothing is open', async () => {
  await until(() => app.streams.open === 0 && app.events.subscribers === 0)
})

t.end()
