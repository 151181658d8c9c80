import { Agent, request as sendRequest } from 'node:http'
import t from 'tap'
import { listenTestApp } from '../support/app.ts'
import { createTestEngine, nodeImage, startTestContainer } from '../support/engine.ts'
import { APPLICATION } from '../support/gateway-application.ts'
import { until } from '../support/until.ts'

/** With SIGUSR2 the application closes its port and cuts its connections, with the next one it opens it again; its process lives on. */
const TOGGLED = `${APPLICATION}
setInterval(() => {}, 60_000)
process.on('SIGUSR2', () => { if (server.listening) { server.close(); server.closeAllConnections() } else server.listen(8080) })`

const engine = createTestEngine(t)
const image = await nodeImage(engine)
const { app } = await listenTestApp(t, { DOCKAPI_GATEWAY_PORT: '0' })
const port = Number(new URL(app.gateway.address!.replace('<name>', 'x')).port)
const PROJECT = `pools${process.pid}`
const HOST = `web-${PROJECT}.localhost`
const labels = { 'dockapi.enable': 'true', 'com.docker.compose.project': PROJECT, 'com.docker.compose.service': 'web' }
const startReplica = (index: number) => startTestContainer(engine, { image, command: ['node', '--input-type=module', '--eval', TOGGLED], port: 8080, name: `${PROJECT}-${index}`, labels })
const replicas = await Promise.all([startReplica(1), startReplica(2)])

const upstreams = () => app.gateway.routes().find(({ hosts }) => hosts.includes(HOST))?.upstreams ?? []
const stateOf = (id: string) => upstreams().find(({ container_id: candidate }) => candidate === id)?.state
const toggle = (id: string) => engine.call('test.kill', (docker, abortSignal) => docker.getContainer(id).kill({ abortSignal, signal: 'SIGUSR2' }))
await until(() => upstreams().filter(({ state }) => state === 'up').length === 2)

/** @returns Status and which replica answered. */
function ask (agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = sendRequest({ port, host: '127.0.0.1', agent, path: '/slow/1', headers: { host: HOST } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part) => { text += part }).on('end', () => { resolve(answer.statusCode === 200 ? `200 ${(JSON.parse(text) as { id: string }).id}` : text) })
    })
    outgoing.on('error', (error) => { resolve(error.message) })
    outgoing.end()
  })
}

t.test('no GET fails while the application in one of two replicas is away; it is ejected, and comes back by itself', async (t) => {
  const [one, two] = replicas
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  const seen = new Map<string, number>()
  const over = new AbortController()
  const clients = Array.from({ length: 6 }, async () => {
    for (let count = 0; count < 20_000 && !over.signal.aborted; count++) {
      const result = await ask(agent)
      seen.set(result, (seen.get(result) ?? 0) + 1)
    }
  })
  const answersOf = ({ id }: { id: string }) => seen.get(`200 ${id.slice(0, 12)}`) ?? 0
  await until(() => answersOf(one!) > 20 && answersOf(two!) > 20)
  t.ok(Math.abs(answersOf(one!) - answersOf(two!)) <= 6, `${answersOf(one!)} and ${answersOf(two!)}, no further apart than the clients are many`)

  for (let round = 0; round < 2; round++) {
    await toggle(one!.id)
    await until(() => stateOf(one!.id) === 'ejected')
    const before = { one: answersOf(one!), two: answersOf(two!) }
    await until(() => answersOf(two!) > before.two + 100)
    t.ok(answersOf(one!) - before.one <= 6, 'only what was under way')
    await toggle(one!.id)
    await until(() => stateOf(one!.id) === 'up')
    const back = answersOf(one!)
    await until(() => answersOf(one!) > back + 20)
  }
  over.abort()
  await Promise.all(clients)
  const failures = [...seen.keys()].filter((result) => !result.startsWith('200 '))
  t.same(failures, [])
})

t.test('a pool of which every application is away says what is wrong, and works as soon as one is back', async (t) => {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => { agent.destroy() })
  for (const { id } of replicas) await toggle(id)
  await until(async () => (await ask(agent)).includes('"upstream_failed"'))
  for (let count = 0; count < 10; count++) await ask(agent)
  await until(() => replicas.every(({ id }) => stateOf(id) === 'ejected'))
  await toggle(replicas[1]!.id)
  await until(async () => (await ask(agent)).startsWith('200 '))
  for (let count = 0; count < 20; count++) t.equal(await ask(agent), `200 ${replicas[1]!.id.slice(0, 12)}`)
})

t.end()
