import { Agent, request as sendRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { startContainer, stopContainer } from '../../src/engine/containers.ts'
import { createClient } from '../support/api.ts'
import { listenTestApp } from '../support/app.ts'
import { createTestEngine, nodeImage, startTestContainer } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { exchange } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const command = ['node', '--input-type=module', '--eval', APPLICATION]
const { app, url } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0' })
const api = createClient(url)
const port = Number(new URL(app.gateway.address!.replace('<name>', 'x')).port)
const PROJECT = `drain${process.pid}`
const HOST = `web-${PROJECT}.localhost`
const labels = { 'dockapi.enable': 'true', 'com.docker.compose.project': PROJECT, 'com.docker.compose.service': 'web' }
const startReplica = (index: number) => startTestContainer(engine, { image, command, port: 8080, name: `${PROJECT}-${index}`, labels })
const [one, two] = await Promise.all([startReplica(1), startReplica(2)])

const upCount = () => app.gateway.routes().find(({ hosts }) => hosts.includes(HOST))?.upstreams.filter(({ state }) => state === 'up').length
await until(() => upCount() === 2)

const CLIENTS = 6
const MAX_REQUESTS = 20_000

/** Sends requests one after the other on kept connections until it is told to end. @returns What came back, by status or error. */
function startLoad (method: 'GET' | 'POST') {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  const results: Record<string, number> = {}
  const over = new AbortController()
  let count = 0
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!over.signal.aborted && count++ < MAX_REQUESTS) {
      const result = await new Promise<string>((resolve) => {
        const outgoing = sendRequest({ port, host: '127.0.0.1', agent, method, path: '/slow/2', headers: { host: HOST } }, (answer) => {
          text(answer).then((body) => { resolve(answer.statusCode === 200 ? '200' : `${answer.statusCode} ${body}`) }, (error: Error) => { resolve(error.message) })
        })
        outgoing.on('error', (error) => { resolve(error.message) })
        outgoing.end(method === 'POST' ? 'body' : undefined)
      })
      results[result] = (results[result] ?? 0) + 1
    }
  })
  return {
    async end () {
      over.abort()
      await Promise.all(clients)
      agent.destroy()
      return results
    }
  }
}

t.test('no request fails while one of two replicas is stopped and started through the API: neither GET nor POST', async (t) => {
  for (const method of ['GET', 'POST'] as const) {
    const load = startLoad(method)
    for (const { id } of [one, two, one]) {
      t.match(await api.post(`/containers/${id}/stop`), { status: 200 })
      t.equal(upCount(), 1)
      t.match(await api.post(`/containers/${id}/start`), { status: 200 })
      await until(() => upCount() === 2)
    }
    t.match(await api.post(`/containers/${one.id}/restart`), { status: 200 })
    await until(() => upCount() === 2)
    const results = await load.end()
    t.same(Object.keys(results), ['200'], JSON.stringify(results))
  }
})

t.test('no GET fails while docker itself stops, kills and starts one of two replicas', async (t) => {
  const { id } = one
  const load = startLoad('GET')
  for (let round = 0; round < 3; round++) {
    if (round === 1) await engine.call('test.kill', (docker, abortSignal) => docker.getContainer(id).kill({ abortSignal }))
    else await stopContainer(engine, id)
    await until(() => upCount() === 1)
    await startContainer(engine, id)
    await until(() => upCount() === 2)
  }
  const results = await load.end()
  t.same(Object.keys(results), ['200'], JSON.stringify(results))
})

t.test('no GET fails while docker stops two of three replicas at the same time', async (t) => {
  const three = await startReplica(3)
  await until(() => upCount() === 3)
  const load = startLoad('GET')
  for (let round = 0; round < 3; round++) {
    await Promise.all([one, three].map(({ id }) => stopContainer(engine, id)))
    await until(() => upCount() === 1)
    await Promise.all([one, three].map(({ id }) => startContainer(engine, id)))
    await until(() => upCount() === 3)
  }
  const results = await load.end()
  t.same(Object.keys(results), ['200'], JSON.stringify(results))
  await engine.call('test.remove', (docker, abortSignal) => docker.getContainer(three.id).remove({ force: true, abortSignal }))
  await until(() => upCount() === 2)
})

t.test('of a single container requests in flight finish, and new ones are told to come again', async (t) => {
  const { id } = one
  await api.post(`/containers/${two.id}/stop?timeout=0`)
  const ask = (path: string) => exchange(t, port, `GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)
  const inFlight = () => app.gateway.routes().find(({ hosts }) => hosts.includes(HOST))?.upstreams.find(({ container_id: candidate }) => candidate === id)
  const running = ask('/slow/1000')
  await until(() => inFlight()?.traffic.in_flight === 1)
  const stopping = api.post(`/containers/${id}/stop`)
  await until(() => inFlight()?.state === 'draining')
  const refused = await ask('/')
  t.match({ status: refused.status, code: refused.json().code, retryAfter: refused.header('retry-after') }, { status: 503, code: 'upstream_not_ready', retryAfter: '1' })
  t.equal((await running).status, 200)
  t.equal((await stopping).status, 200)
  t.equal(inFlight()?.state, 'down')
  t.equal((await ask('/')).json().code, 'upstream_not_running')
})

t.end()
