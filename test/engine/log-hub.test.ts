import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import type { RunResult } from '../../schemas/containers.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createChaosSocket } from '../support/chaos-socket.ts'
import { busyboxImage, createTestEngine } from '../support/engine.ts'
import { openStream } from '../support/stream-client.ts'
import type { Received } from '../support/stream-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await busyboxImage(engine)
/** Makes lines of about a hundred bytes. */
const FILLING = 'x'.repeat(90)
const FOLLOWED = /^GET \/containers\/[^/]+\/logs$/

async function setUp (t: Test) {
  const chaos = await createChaosSocket(t)
  const { app, url } = await listenTestApp(t, { DOCKER_HOST: chaos.host })
  const api = createClient(url)
  const run = async (script: string, body: Record<string, unknown> = {}) => (await api.run<RunResult>({ image, container_port: 80, command: ['sh', '-c', script], ...body })).body
  const follows = () => chaos.requests.filter((line) => FOLLOWED.test(line.replace(/ \/v\d+\.\d+/, ' ').split('?', 1)[0]!) && line.includes('follow=true')).length
  return { app, url, api, run, follows }
}

const linesOf = (events: Received[]) => events.filter(({ event }) => event === 'log').map(({ data }) => data.line as string)
const isLine = (line: string) => ({ data }: Received) => data.line === line

t.test('a hundred followers of one log are one stream of the engine, which ends with the last of them', async (t) => {
  const { app, url, api, run, follows } = await setUp(t)
  const { id } = await run('echo begin; while [ ! -e /go ]; do sleep 0.05; done; echo now; sleep 300')
  const streams = await Promise.all(Array.from({ length: 100 }, (_, index) => openStream(t, `${url}/containers/${id}/logs?follow=true`, { form: index % 2 === 0 ? 'sse' : 'ndjson' })))
  for (const stream of streams) t.equal((await stream.next())!.data.line, 'begin')
  await api.post(`/containers/${id}/exec`, { command: 'touch /go' })
  for (const stream of streams) t.equal((await stream.next())!.data.line, 'now')
  t.equal(app.logs.open, 1)
  t.equal(follows(), 1)
  for (const stream of streams.slice(1)) stream.leave()
  await until(() => app.streams.open === 1)
  t.equal(app.logs.open, 1, 'the last one keeps it')
  streams[0]!.leave()
  await until(() => app.logs.open === 0)
})

t.test('who joins at any time, from any place, has neither holes nor doubles', async (t) => {
  const { url, api, run, follows } = await setUp(t)
  const { id } = await run('i=0; while [ $i -lt 2000 ]; do echo out $i; [ $((i % 3)) -eq 0 ] && echo err $i >&2; i=$((i+1)); [ $((i % 50)) -eq 0 ] && sleep 0.05; done; while [ ! -e /go ]; do sleep 0.05; done; echo end')
  const address = `${url}/containers/${id}/logs?follow=true`
  const first = await openStream(t, `${address}&tail=all`)
  const readers = [first.rest()]
  const starts: string[] = ['tail=all', 'tail=50', 'tail=1', 'tail=0', 'since=1h&tail=all', 'since=1s', 'tail=all&stderr=false', 'tail=20&stdout=false']
  for (let round = 0; round < 3; round++) {
    for (const start of starts) {
      const stream = await openStream(t, `${address}&${start}`)
      readers.push(stream.rest())
      await delay(Math.random() * 40)
    }
  }
  await api.post(`/containers/${id}/exec`, { command: 'touch /go' })
  const all = await Promise.all(readers)
  const whole = linesOf(all[0]!)
  t.equal(new Set(whole).size, whole.length, 'no line twice')
  t.equal(whole.length, 2000 + 667 + 1, 'every line')
  for (const [index, events] of all.entries()) {
    const start = starts[(index - 1) % starts.length] ?? ''
    const lines = linesOf(events)
    const wanted = index === 0 ? whole : start.includes('stderr=false') ? whole.filter((line) => !line.startsWith('err')) : start.includes('stdout=false') ? whole.filter((line) => line.startsWith('err')) : whole
    t.same(lines, lines.length === 0 ? [] : wanted.slice(-lines.length), `${index} ${start}: ${lines.length} of ${wanted.length}`)
    if (start.includes('tail=all') || index === 0) t.equal(lines.length, wanted.length, start)
    t.same(events.at(-1)!.data, { reason: 'container_ended' })
  }
  t.equal(follows(), 1)
})

t.test('a terminal, and a line that is not complete when somebody joins', async (t) => {
  const { url, api, run } = await setUp(t)
  const { id } = await run('head -c 49152 /dev/zero | tr "\\0" x; while [ ! -e /go ]; do sleep 0.05; done; echo y; echo after; sleep 0.3')
  const streams = [await openStream(t, `${url}/containers/${id}/logs?follow=true&tail=all`)]
  await until(async () => (await (await fetch(`${url}/containers/${id}/logs?tail=all`)).text()).length === 49152)
  streams.push(await openStream(t, `${url}/containers/${id}/logs?follow=true&tail=all`), await openStream(t, `${url}/containers/${id}/logs?follow=true&tail=1`))
  await api.post(`/containers/${id}/exec`, { command: 'touch /go' })
  for (const stream of streams) t.same(linesOf(await stream.rest()).map((line) => line.length), [49153, 5])
})

/** A client that reads only when it is told to. */
async function openStopped (t: Test, url: string, path: string) {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: application/x-ndjson\r\nconnection: close\r\n\r\n`)
  await once(socket, 'readable')
  return {
    async rest () {
      let text = ''
      for await (const chunk of socket) text = `${text}${String(chunk)}`.slice(-100_000)
      return text
    }
  }
}

t.test('a follower that stops is cut, and the others miss nothing', async (t) => {
  const { app, url, run } = await setUp(t)
  const { id } = await run(`while [ ! -e /go ]; do sleep 0.05; done; i=0; while [ $i -lt 10 ]; do seq $((i*10000)) $((i*10000+9999)) | sed "s/$/ ${FILLING}/"; i=$((i+1)); done; echo end; sleep 300`)
  const good = await openStream(t, `${url}/containers/${id}/logs?follow=true`)
  const slow = await openStopped(t, url, `/containers/${id}/logs?follow=true`)
  await createClient(url).post(`/containers/${id}/exec`, { command: 'touch /go' })
  const lines = linesOf(await good.until(isLine('end')))
  t.equal(lines.length, 100_001)
  t.ok(lines.slice(0, -1).every((line, index) => line.startsWith(`${index} `)))
  t.match(await slow.rest(), /"reason":"too_slow"/)
  good.leave()
  await until(() => app.logs.open === 0)
})

t.test('S24: a single follower that stops stops the stream of the engine, loses nothing, and costs no memory', async (t) => {
  const { url, run } = await setUp(t)
  const { id } = await run(`while [ ! -e /go ]; do sleep 0.05; done; seq 1 200000 | sed "s/$/ ${FILLING}/"`)
  const slow = await openStopped(t, url, `/containers/${id}/logs?follow=true`)
  global.gc?.()
  const before = process.memoryUsage().rss
  const api = createClient(url)
  await api.post(`/containers/${id}/exec`, { command: 'touch /go' })
  await api.post(`/containers/${id}/wait`)
  const grown = process.memoryUsage().rss - before
  t.ok(grown < 40 * 1024 ** 2, `${(grown / 1024 ** 2).toFixed(0)} MiB for 20 MB that nobody reads`)
  const rest = await slow.rest()
  t.match(rest, /"line":"200000 x+"}\n/)
  t.match(rest, /"reason":"container_ended"/)
})

t.test('who joins while another is far behind in the past is not kept waiting by it', async (t) => {
  const { url, api, run } = await setUp(t)
  const { id } = await run(`seq 1 200000 | sed "s/$/ ${FILLING}/"; while :; do sleep 0.01; echo tick; [ -e /go ] && break; done; echo end`)
  await until(async () => (await (await fetch(`${url}/containers/${id}/logs?tail=1`)).text()) === 'tick\n')
  const slow = await openStopped(t, url, `/containers/${id}/logs?follow=true&tail=all`)
  const good = await openStream(t, `${url}/containers/${id}/logs?follow=true&tail=1`)
  for (let count = 0; count < 50; count++) t.equal((await good.next())!.data.line, 'tick')
  await api.post(`/containers/${id}/exec`, { command: 'touch /go' })
  t.equal(linesOf(await good.rest()).at(-1), 'end')
  const rest = await slow.rest()
  t.match(rest, /"line":"end"/, 'and who was behind comes to the end')
  t.match(rest, /"reason":"container_ended"/)
})

t.end()
